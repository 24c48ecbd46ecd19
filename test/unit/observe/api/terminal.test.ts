import t from 'tap'
import {type TerminalViewer, END_TRAILER} from '../../../../src/model/terminal.ts'
import {showTerminal} from '../../../../src/observe/api/terminal.ts'

t.test('who has left while the app was started is no viewer: it would keep the app awake', async t => {
  const gone = new AbortController()
  let viewers = 0
  const terminal = {attach: () => viewers++, resize: () => undefined}
  const control = {
    list: () => ({apps: [{id: 'stock', version: '0.0.0', instance: 1}]}),
    terminal: async () => {
      gone.abort()
      return Promise.resolve(terminal)
    }
  }
  const response = {writeHead: () => t.fail('nobody reads it')}
  const request = {query: new URLSearchParams(), response, gone: gone.signal}
  await showTerminal(control as never, {id: 'stock', version: '', instance: 0} as never, request as never)
  t.equal(viewers, 0)
})

t.test('who reads too slowly is told how much was left out, also where the app ends', async t => {
  let viewer: TerminalViewer | undefined
  const terminal = {attach: (each: TerminalViewer) => ((viewer = each), () => undefined), resize: () => undefined}
  const control = {
    list: () => ({apps: [{id: 'stock', version: '0.0.0', instance: 1, exit: 'exited 0', exitCode: 0}]}),
    terminal: async () => Promise.resolve(terminal)
  }
  const texts: string[] = []
  const response = {
    writableLength: 0,
    writeHead: () => ({flushHeaders: () => undefined}),
    write: (bytes: Buffer | string) => texts.push(bytes.toString()),
    addTrailers: () => undefined,
    end: () => texts.push('end'),
    once: () => undefined
  }
  const request = {query: new URLSearchParams(), response, gone: new AbortController().signal}
  await showTerminal(control as never, {id: 'stock', version: '', instance: 0} as never, request as never)
  viewer?.show(Buffer.from('first'))
  response.writableLength = 2 * 1024 * 1024
  viewer?.show(Buffer.from('its last words'))
  viewer?.ended()
  t.same(texts, ['first', '\r\n[14 bytes were left out: they were read too slowly]\r\n', 'end'])
})

t.test('the end of the main version is told as its own, where another version stands before it', async t => {
  let viewer: TerminalViewer | undefined
  const terminal = {attach: (each: TerminalViewer) => ((viewer = each), () => undefined), resize: () => undefined}
  const apps = [
    {id: 'hello', version: '1.0.0', instance: 1, isMain: false, exit: '', exitCode: null},
    {id: 'hello', version: '2.0.0', instance: 1, isMain: true, exit: 'exited with code 3', exitCode: 3}
  ]
  const control = {list: () => ({apps}), terminal: async () => Promise.resolve(terminal)}
  const ends: unknown[] = []
  const response = {
    writableLength: 0,
    writeHead: () => ({flushHeaders: () => undefined}),
    addTrailers: (trailers: Record<string, string>) => ends.push(JSON.parse(trailers[END_TRAILER] ?? '')),
    end: () => undefined,
    once: () => undefined
  }
  const request = {query: new URLSearchParams(), response, gone: new AbortController().signal}
  for (const version of ['', '1.0.0', '*']) {
    await showTerminal(control as never, {id: 'hello', version}, request as never)
    viewer?.ended()
  }
  t.same(ends, [
    {exit: 'exited with code 3', exitCode: 3},
    {exit: '', exitCode: null},
    {exit: 'exited with code 3', exitCode: 3}
  ])
})
