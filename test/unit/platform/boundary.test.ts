import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const BOUNDARY = join(import.meta.dirname, '../../../src/platform/boundary.ts')

/** What a process prints that has a boundary and does this. */
const printedBy = (work: string): string =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import net from 'node:net'
import {bounded, isTakenByBoundary, withinBoundary} from ${JSON.stringify(BOUNDARY)}
const heard = error => console.log('heard ' + error.message)
const onBug = error => isTakenByBoundary(error) || console.log('bug ' + error.message)
process.on('uncaughtException', onBug).on('unhandledRejection', onBug)
${work}`
    ],
    {encoding: 'utf8'}
  ).stdout

t.test('what a client throws in its background is heard, and ends nothing', async t => {
  t.equal(printedBy(`withinBoundary(heard, () => setTimeout(() => { throw new Error('later') }))`), 'heard later\n')
  t.equal(printedBy(`withinBoundary(heard, () => void Promise.reject(new Error('nobody')))`), 'heard nobody\n')
  const socket = `const server = net.createServer(socket => socket.on('data', () => socket.resetAndDestroy())).listen(0, '127.0.0.1', () => {
  const opened = withinBoundary(heard, () => net.connect(server.address().port, '127.0.0.1').resume())
  opened.write('x')
  opened.once('close', () => server.close())
})`
  t.equal(printedBy(socket), 'heard read ECONNRESET\n', 'an event of a socket, made within')
})

t.test('methods of a component run within; what is thrown elsewhere stays a bug', async t => {
  const client = `const client = bounded(new (class {
  #text = 'from a method'
  read() { setTimeout(() => { throw new Error(this.#text) }) }
})(), heard)
client.read()
setTimeout(() => { throw new Error('ours') }, 20)`
  t.equal(printedBy(client), 'heard from a method\nbug ours\n')
})

t.test('so do the methods of its parts', async t => {
  const client = `const client = bounded({input: {read: () => void setTimeout(() => { throw new Error('from a part') })}, list: ['a']}, heard)
client.input.read()
console.log(client.list.includes('a'))`
  t.equal(printedBy(client), 'true\nheard from a part\n')
})
