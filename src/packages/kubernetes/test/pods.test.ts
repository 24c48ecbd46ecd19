import t from 'tap'
import type {Kubectl} from '../cluster/kubectl.ts'
import {Pods} from '../cluster/pods.ts'

const POD = {
  metadata: {name: 'shop-1', labels: {app: 'shop'}},
  status: {containerStatuses: [{name: 'shop', containerID: 'containerd://1'}]}
}
/** As the kubelet answers for a container that it has removed, and then for the next one. */
const LOGS = [
  '[pod/shop-1/shop] unable to retrieve container logs for containerd://1',
  '[pod/shop-1/shop] 2026-01-02T03:04:05.000000006Z hello'
]

t.test('a line of the kubelet, which has no time, hides no line of the app', async t => {
  const over = new AbortController()
  const written = Promise.withResolvers<readonly string[]>()
  const logs = LOGS.values()
  const kubectl: Pick<Kubectl, 'context' | 'lines'> = {
    context: 'test',
    lines: async ([command], onLine, options) => {
      const isOver = new Promise<string>(resolve => options?.cancelSignal?.addEventListener('abort', () => resolve('')))
      await onLine(command === 'logs' ? (logs.next().value ?? '') : JSON.stringify(POD))
      return command === 'logs' ? '' : isOver
    }
  }
  const pods = new Pods({
    kubectl: kubectl as Kubectl,
    label: 'template=shop',
    jobs: [],
    signal: over.signal,
    say: (_, text) => t.fail(text),
    write: async (...line) => written.resolve(line)
  })
  const watching = pods.watch()
  t.same(await written.promise, ['shop', 'shop', 'hello'])
  over.abort()
  await watching
})
