import {Readable} from 'node:stream'
import t, {type Test} from 'tap'
import {ClusterClient, type Ask} from '../cluster/api-client.ts'
import {ClusterError} from '../cluster/api-error.ts'
import {ContainerLog} from '../cluster/container-log.ts'
import type {ContainerStatus} from '../cluster/pod.ts'
import {pause} from '../../../platform/delay.ts'
import {openServer} from './open-server.ts'

const AT = '2026-01-31T10:00:00.000000000Z '

/** The log of a container; `answers`: what the server sends, one request after the other. */
function open(t: Test, answers: readonly (string | Error)[], tail?: number) {
  const asked: Ask['query'][] = []
  const texts: string[] = []
  const left = [...answers]
  let now: ContainerStatus | undefined
  const end = new AbortController()
  t.teardown(() => end.abort())
  const client = {
    async open(_method: string, _path: string, {query}: Ask) {
      asked.push(query)
      const answer = left.shift() ?? ''
      if (answer instanceof Error) throw answer
      return Readable.from([Buffer.from(answer)])
    },
    json: async () => Promise.resolve({status: {containerStatuses: [now]}})
  }
  const log = new ContainerLog({
    client: client as unknown as ClusterClient,
    namespace: 'shop',
    pod: 'stock-1',
    container: 'stock',
    tail,
    take: async text => void texts.push(text),
    signal: end.signal
  })
  /** The container is like this, of which the watch may tell later. */
  const be = (status: ContainerStatus): void => void (now = status)
  const look = (status: ContainerStatus): void => {
    be(status)
    log.look(status)
  }
  return {log, look, be, asked, texts}
}

const status = {name: 'stock', ready: false, restartCount: 0, image: ''}
const ended = (containerID: string): object => ({terminated: {exitCode: 1, containerID}})

t.test('of a pod of before the last lines are asked for until there is one', async t => {
  const {log, look, asked, texts} = open(t, [new Error('the kubelet is away'), `${AT}last\n`], 10)
  look({...status, containerID: 'a', state: ended('a')})
  await log.allRead()
  t.same(
    asked.map(query => query?.['tailLines']),
    [10, 10]
  )
  t.same(texts, ['last\n'])
})

t.test('of a pod of before what starts from now on is read whole', async t => {
  for (const first of [{}, {containerID: 'b', lastState: ended('b')}]) {
    const {log, look, asked} = open(t, [`${AT}one\n`], 10)
    look({...status, ...first, state: {waiting: {}}})
    look({...status, containerID: 'c', state: ended('c')})
    await log.allRead()
    t.same(
      asked.map(query => query?.['tailLines']),
      [undefined]
    )
  }
})

t.test('of a pod of before a start is read whole that has ended before the watch shows it', async t => {
  const {log, look, asked} = open(t, [`${AT}one\n`], 10)
  look({...status, state: {waiting: {}}})
  look({...status, containerID: 'c', state: {waiting: {}}, lastState: ended('c')})
  await log.allRead()
  t.same(
    asked.map(query => query?.['tailLines']),
    [undefined]
  )
  t.equal(await log.lastLine('c'), 'one')
})

t.test('the last line of a start is its own: one that has printed nothing has none', async t => {
  const {log, look} = open(t, [`${AT}listening\n`, ''])
  look({...status, containerID: 'b', lastState: ended('a'), state: ended('b')})
  t.equal(await log.lastLine('a'), 'listening')
  t.equal(await log.lastLine('b'), '')
})

t.test('where the log of a start is gone, the last line that is known stands for it', async t => {
  const gone = new ClusterError(404, {}, {method: 'GET', path: '/log'})
  const {log, look} = open(t, [`${AT}no such store\n`, gone])
  look({...status, containerID: 'b', lastState: ended('a'), state: ended('b')})
  t.equal(await log.lastLine('b'), 'no such store')
})

t.test(
  'a container that starts again while its log is cut shows its last lines, and those of no other start',
  async t => {
    const [second, third, fourth] = [1, 2, 3].map(n => AT.replace(':00.', `:0${n}.`)) as [string, string, string]
    const {log, look, be, asked, texts} = open(t, [`${AT}up\n`, `${second}no such store\n`, `${third}up\n`])
    look({...status, containerID: 'a', state: {running: {startedAt: ''}}})
    const again = {...status, containerID: 'b', lastState: ended('a'), state: ended('b')}
    be(again) // the watch is cut, too
    t.equal(await log.lastLine('a'), 'no such store')
    look(again)
    await log.allRead()
    t.same(texts, ['up\n', 'no such store\n', 'up\n'])
    t.same(
      asked.map(query => query?.['previous']),
      [undefined, true, undefined]
    )
    const twice = open(t, [`${AT}up\n`, `${third}up\n`, `${fourth}up\n`])
    twice.look({...status, containerID: 'a', state: {running: {startedAt: ''}}})
    twice.look({...status, containerID: 'c', lastState: ended('b'), state: ended('c')})
    await twice.log.allRead()
    t.same(
      twice.asked.map(query => query?.['previous']),
      [undefined, true, undefined],
      'a start whose log is gone takes that of no later one'
    )
  }
)

t.test('a container that starts again while a busy server has no log of it shows its last lines', async t => {
  const {server, client} = await openServer(t)
  const end = new AbortController()
  t.teardown(() => end.abort())
  const before = {...status, containerID: 'a', state: {running: {startedAt: ''}}}
  const again = {...status, containerID: 'b', lastState: ended('a'), state: ended('b')}
  server.answer = ({path, query, nth}) => {
    if (!path.endsWith('/log')) return {code: 200, body: JSON.stringify({status: {containerStatuses: [again]}})}
    if (nth === 1) return {code: 503, headers: {'retry-after': '1'}}
    return {code: 200, body: query.has('previous') ? `${AT}no such store\n` : `${AT}up again\n`}
  }
  const texts: string[] = []
  const log = new ContainerLog({
    client,
    namespace: 'shop',
    pod: 'stock-1',
    container: 'stock',
    tail: undefined,
    take: async text => void texts.push(text),
    signal: end.signal
  })
  log.look(before)
  await log.allRead()
  t.strictSame(texts, ['no such store\n'])
})

t.test('a start has its last line, too, if its log was taken for that of the start before', async t => {
  const {log, look} = open(t, [`${AT}no such store\n`, `${AT}no such store\n`])
  look({...status, containerID: 'b', lastState: ended('a'), state: ended('b')})
  t.equal(await log.lastLine('b'), 'no such store')
})

t.test('a start whose log the kubelet has no more hides no later one', async t => {
  const lost = 'unable to retrieve container logs for containerd://b'
  const later = '2026-01-31T10:00:01.000000000Z listening\n'
  const {log, look, asked, texts} = open(t, [`${AT}one\n`, lost, later])
  look({...status, containerID: 'a', state: ended('a')})
  await log.allRead()
  look({...status, containerID: 'c', lastState: ended('b'), state: ended('c')})
  t.equal(await log.lastLine('c'), 'listening')
  t.same(texts, ['one\n', 'listening\n'])
  t.same(
    asked.map(query => query?.['sinceTime']),
    [undefined, AT.trim(), AT.trim()]
  )
})

t.test(
  'half a line at which a connection ends well comes whole with the next one, or alone where none comes',
  async t => {
    const later = '2026-01-31T10:00:01.000000000Z '
    const running = {...status, containerID: 'a', state: {running: {startedAt: ''}}}
    const whole = open(t, [`${AT}one\n${later}half`, `${AT}one\n${later}half of`, '', `${later}half of a line\n`])
    whole.look(running)
    while (whole.asked.length < 3) await pause(10)
    whole.look({...running, state: ended('a')})
    await whole.log.allRead()
    t.same(whole.texts, ['one\n', 'half of a line\n'])
    const gone = new ClusterError(404, {}, {method: 'GET', path: '/log'})
    for (const next of [gone, '']) {
      const alone = open(t, [`${AT}one\n${later}bye`, next])
      alone.look(running)
      alone.look({...running, state: ended('a')})
      await alone.log.allRead()
      t.same(alone.texts, ['one\n', 'bye\n'])
    }
    const known = open(t, [`${AT}one\n`, AT.slice(0, -1), `${AT}on`, gone])
    known.look(running)
    await known.log.allRead()
    t.same(known.texts, ['one\n'], 'a line that was passed on is not cut')
  }
)

t.test('the log of a restart that the watch reports late is not read as that of the start before', async t => {
  const second = AT.replace(':00.', ':01.')
  const {log, look, be, asked, texts} = open(t, [`${AT}one\n`, `${second}two\n`])
  look({...status, containerID: 'b', lastState: ended('a'), state: {running: {startedAt: ''}}})
  be({...status, containerID: 'c', lastState: ended('b'), state: {running: {startedAt: ''}}})
  await log.allRead()
  t.same(
    asked.map(query => query?.['previous']),
    [true, true]
  )
  t.same(texts, ['one\n', 'two\n'])
})
