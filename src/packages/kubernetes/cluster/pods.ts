import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {UserError} from '../../../model/errors.ts'
import {TEMPLATE_LABEL} from '../object.ts'
import type {Kubectl} from './kubectl.ts'
import {argument, sidecarOf, type Pod} from './pod.ts'

/** Pause after a kubectl that ended, in ms. */
const PAUSE_MS = 1000

/** A watch of pods; calls arrive in the order of the API server. */
export interface PodWatch {
  readonly kubectl: Kubectl
  /** The label of the template. */
  readonly template: string
  readonly signal: AbortSignal
  readonly changed: (pod: Pod) => void
  readonly gone: (pod: Pod) => void
  /** Reports once that the API server does not answer. */
  readonly troubled: (text: string) => void
}

/** Watches the pods of a template until the signal. Starts kubectl again when the API server ends the watch. */
export async function watchPods({kubectl, template, signal, changed, gone, troubled}: PodWatch): Promise<void> {
  const args = ['get', 'pods', '-l', `${TEMPLATE_LABEL}=${template}`, '-w', '--output-watch-events', '-o', 'json']
  let isTroubled = false
  while (!signal.aborted) {
    let lines: string[] = []
    try {
      await kubectl.lines(args, signal, line => {
        lines.push(line)
        // some versions print an event on one line
        if (line !== '}' && !(lines.length === 1 && line.endsWith('}'))) return
        const {type, object} = JSON.parse(Buffer.from(lines.join('\n'), 'latin1').toString()) as {
          readonly type: string
          readonly object: Pod
        }
        lines = []
        isTroubled = false
        if (type === 'DELETED') gone(object)
        else changed(object)
      })
    } catch (error) {
      if (!isTroubled && !signal.aborted) troubled(`logs and states may be old; still trying: ${messageOf(error)}`)
      isTroubled = true
    }
    await pause(PAUSE_MS, signal)
  }
}

/** A pod with a sidecar of Dapr. */
export interface DaprPod {
  readonly pod: Pod
  readonly appId: string
  /** The port in the sidecar's argument. */
  readonly appPort: string
}

/** Returns all pods with a sidecar in the namespace of kubectl, or in all namespaces. Rejects with a UserError. */
export async function daprPods(kubectl: Kubectl, {isEverywhere = false} = {}): Promise<readonly DaprPod[]> {
  const {items} = await kubectl.json<{readonly items?: readonly Pod[]}>([
    'get',
    'pods',
    ...(isEverywhere ? ['--all-namespaces'] : [])
  ])
  if (!Array.isArray(items))
    throw new UserError('the server of the context is not a Kubernetes API server: it sends no list of pods')
  return (items as readonly Pod[]).flatMap(pod => {
    const sidecar = sidecarOf(pod)
    if (sidecar === undefined) return []
    return [{pod, appId: argument(sidecar, '--app-id'), appPort: argument(sidecar, '--app-port')}]
  })
}
