import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {copyFileSync, renameSync} from 'node:fs'
import {createServer, type AddressInfo, type Socket} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {PeerVariable} from '../../../src/platform/peer-variable.ts'

/** Connects at each line that it gets; at `close` it first gives up its first connection, whose descriptor the next one gets. */
const CALLER = `
const sockets = []
process.stdin.on('data', text => {
  const open = () => sockets.push(require('net').connect(process.env.AT, '127.0.0.1').on('error', () => {}))
  if (String(text) === 'close') sockets.shift().on('close', open).destroy()
  else open()
})
`

t.test('the process at the other end is found, whatever processes and connections have come before', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const AT = (server.address() as AddressInfo).port.toString()
  const children: ChildProcess[] = []
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL')
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const begin = (mark?: string): ChildProcess => {
    const {MARK: _, ...inherited} = process.env
    const env = {...inherited, AT, ...(mark !== undefined && {MARK: mark})}
    const child = spawn(process.execPath, ['-e', CALLER], {env, stdio: ['pipe', 'inherit', 'inherit']})
    children.push(child)
    return child
  }
  const connected = async (child: ChildProcess, text: 'open' | 'close' = 'open'): Promise<Socket> => {
    child.stdin?.write(text)
    const [socket] = (await once(server, 'connection')) as [Socket]
    sockets.push(socket.on('error', () => undefined))
    return socket
  }
  const marks = new PeerVariable('MARK')
  const [first, outside] = [begin('first'), begin()]
  const one = await connected(first)
  t.equal(marks.of(one), 'first')
  t.equal(marks.of(await connected(outside)), '')
  t.equal(marks.of(await connected(first)), 'first', 'by a new descriptor')
  t.equal(marks.of(await connected(first, 'close')), 'first', 'by a number that another connection had')
  const second = begin('second')
  t.equal(marks.of(await connected(second)), 'second', 'which began after the search before')
  const late = [await connected(first), await connected(second), await connected(first), await connected(outside)]
  t.same(
    late.map(socket => marks.of(socket)),
    ['first', 'second', 'first', '']
  )
  first.kill('SIGKILL')
  await once(first, 'exit')
  t.equal(marks.of(await connected(begin('third'))), 'third', 'after one of them has ended')
  t.equal(marks.of(one), '', 'the other end is closed')
})

t.test('a process that was seen before it became its program is found', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const AT = (server.address() as AddressInfo).port.toString()
  const env = {PATH: process.env['PATH'], AT}
  const script = 'read -r line && MARK=late exec "$0" -e "$1"'
  const outside = spawn(process.execPath, ['-e', CALLER], {env, stdio: ['pipe', 'inherit', 'inherit']})
  const late = spawn('sh', ['-c', script, process.execPath, CALLER], {env, stdio: ['pipe', 'inherit', 'inherit']})
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const child of [outside, late]) child.kill('SIGKILL')
    for (const socket of sockets) socket.on('error', () => undefined).destroy()
    server.close()
  })
  const marks = new PeerVariable('MARK')
  for (const [child, text, mark] of [
    [outside, 'open', ''],
    [late, 'become it\nopen', 'late']
  ] as const) {
    child.stdin.write(text)
    const [socket] = (await once(server, 'connection')) as [Socket]
    sockets.push(socket)
    t.equal(marks.of(socket), mark)
  }
})

t.test('a browser that an app has opened is not the app; a program is, whose name begins as that of one', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const AT = (server.address() as AddressInfo).port.toString()
  const folder = t.testdir()
  let program = join(folder, 'operator')
  copyFileSync(process.execPath, program)
  const child = spawn(program, ['-e', CALLER], {env: {AT, MARK: 'mine'}, stdio: ['pipe', 'inherit', 'inherit']})
  child.stdin.write('open')
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    child.kill('SIGKILL')
    socket.on('error', () => undefined).destroy()
    server.close()
  })
  const marks = new PeerVariable('MARK')
  const apps = ['operator', 'operations', 'safari-tours', 'chromatic', 'chromedriver', 'firefoxd']
  const browsers = ['chrome', 'chromium-browser', 'firefox-esr', 'opera', 'opera-beta', 'zen-bin', 'chrome (deleted)']
  for (const name of [...apps, ...browsers, 'epiphany-browser', 'WebKitNetworkProcess']) {
    renameSync(program, join(folder, name))
    program = join(folder, name)
    t.equal(marks.of(socket), apps.includes(name) ? 'mine' : '', name)
  }
})
