import t from 'tap'
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
