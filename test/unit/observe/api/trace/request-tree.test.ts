import t from 'tap'
import {requestTree} from '../../../../../src/observe/api/trace/request-tree.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../../rig/workflow-house.ts'

/** A call that was answered; times are those of `performance.now()`. */
function made(observer: CallRecorder, edge: string, path: string, [from, until]: [number, number]): void {
  const [caller = '', callee = ''] = edge.split(' ')
  const request = {method: 'POST', path, lines: ''}
  const journal = new CallJournal({
    call: {caller, callee, method: 'POST', path},
    request,
    observer,
    recorded: undefined
  })
  journal.begun(from)
  journal.admitted({isLocal: true})
  Object.assign(journal, {status: 200, firstByteAt: until, isWhole: true})
  journal.ended()
}

const facts = (recorder: CallRecorder) => ({recorder, runLog: () => new RunLog(), masked: () => []})

t.test(
  'a workflow stands below the call that started it, its steps below it, and below an activity what it called',
  async t => {
    const house = await openHouse(t)
    const {workflows, clock} = house
    const recorder = new CallRecorder({bodyBytesOf: () => 100})
    const until = (at: number): void => clock.pass(Math.floor(performance.timeOrigin + at) - clock.date())
    workflows.connect('shop', new TestWorker())
    made(recorder, 'web shop', '/orders', [1000, 1010])
    until(1005)
    await workflows.start('shop', order('o-1'))
    await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
    made(recorder, 'shop bank', '/charge', [1020, 1025])
    until(1030)
    await workflows.completeActivity('shop', done('o-1', 0))
    await workflows.completeTurn('shop', answer('o-1', [end(3)]))
    for (const q of ['1', '2', 'workflow:o-1', 'workflow:shop/o-1']) {
      const {nodes, failedAt} = await requestTree({...facts(recorder), openWorkflows: () => workflows}, q)
      t.same(
        nodes.map(({depth, kind, from, to, what, link}) => [depth, kind, from, to, what, link?.reason]),
        [
          [0, 'call', 'web', 'shop', 'POST /orders', undefined],
          [1, 'workflow', 'shop', 'shop', 'workflow order o-1', 'only'],
          [2, 'activity', 'shop', 'shop', 'activity charge', 'history'],
          [3, 'call', 'shop', 'bank', 'POST /charge', 'only']
        ],
        q
      )
      t.match(nodes[1], {outcome: 'failed', isFailed: true, workflow: {app: 'shop', id: 'o-1', eventId: null}})
      t.equal(failedAt, nodes[1]?.id)
      t.match(nodes[2], {startMs: /^[45]/, totalMs: Number, workflow: {app: 'shop', id: 'o-1', eventId: 0}})
    }
    await t.rejects(requestTree({...facts(recorder), openWorkflows: () => workflows}, 'workflow:o-2'), {
      message: 'there is no workflow o-2'
    })
    house.close()
  }
)

t.test('a request of five thousand calls is a few rows; what one of them made is shown', async t => {
  const recorder = new CallRecorder({bodyBytesOf: () => 100})
  const journal = new CallJournal({
    call: {caller: 'web', callee: 'shop', method: 'POST', path: '/all'},
    request: {method: 'POST', path: '/all', lines: ''},
    observer: recorder,
    recorded: undefined
  })
  journal.begun(1000)
  journal.admitted({isLocal: true})
  for (let n = 0; n < 5000; n++) made(recorder, 'shop stock', `/items/${n}`, [1001 + n / 10, 1001.05 + n / 10])
  const tree = await requestTree({...facts(recorder), openWorkflows: () => undefined}, 'to:shop')
  t.equal(tree.nodes.length, 1 + 10 + 1)
  t.match(tree.nodes.at(-1), {count: 4990, what: 'POST /items/10', call: null, startMs: 2, leftOut: undefined})
  t.equal(tree.leftOut, 0)
  const one = await requestTree({...facts(recorder), openWorkflows: () => undefined}, '3000')
  t.ok(one.nodes.some(({id}) => id === 3000))
})
