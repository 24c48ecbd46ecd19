import type {ServerResponse} from 'node:http'
import type {Random} from '../../fuzz/random.ts'
import type {ApiServer, Stored} from './api-server.ts'
import type {SimTime} from './sim-time.ts'

export const ROOTS = {
  Deployment: '/apis/apps/v1/namespaces/shop/deployments',
  Job: '/apis/batch/v1/namespaces/shop/jobs',
  Service: '/api/v1/namespaces/shop/services',
  Secret: '/api/v1/namespaces/shop/secrets',
  Component: '/apis/dapr.io/v1alpha1/namespaces/shop/components'
} as const
const PODS = '/api/v1/namespaces/shop/pods'

interface Line {
  readonly at: string
  readonly text: string
}

/** One start of a container. */
export interface Start {
  readonly id: string
  readonly startedAt: string
  readonly lines: Line[]
  end: {readonly exitCode: number; readonly reason: string; readonly finishedAt: string} | undefined
}

/** The pod as its node knows it. */
export interface Running {
  readonly path: string
  readonly uid: string
  readonly app: string
  readonly labels: Readonly<Record<string, string>>
  readonly madeAt: number
  /** By container: its starts, the last one last. */
  readonly starts: Map<string, Start[]>
  /** It is waited for another start. */
  isBackingOff: boolean
  isEvicted: boolean
  isEnding: boolean
}

interface Reader {
  readonly response: ServerResponse
  readonly start: Start
}

/** Controllers, nodes and their logs, in the time of a walk. */
export class Workshop {
  readonly pods = new Map<string, Running>()
  readonly #server: ApiServer
  readonly #time: SimTime
  readonly #random: Random
  readonly #readers = new Set<Reader>()
  #isDue = false
  #count = 0
  #lines = 0

  constructor(server: ApiServer, time: SimTime, random: Random) {
    this.#server = server
    this.#time = time
    this.#random = random
    server.onChange = () => this.#wake()
    server.sendLog = (pod, query, response) => this.#sendLog(pod, query, response)
  }

  #wake(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#time.outside(() =>
      this.#time.after(this.#random.below(80), () => {
        this.#isDue = false
        this.#reconcile()
      })
    )
  }

  #later(most: number, work: () => void): void {
    this.#time.outside(() => this.#time.after(5 + this.#random.below(most), work))
  }

  #podsOf(uid: string): readonly Stored[] {
    return [...this.#server.objects]
      .filter(
        ([path, {metadata}]) =>
          path.startsWith(`${PODS}/`) && metadata.ownerReferences?.[0]?.uid.startsWith(`${uid}/`) === true
      )
      .map(([, pod]) => pod)
  }

  #reconcile(): void {
    for (const [path, object] of this.#server.objects) {
      const {finalizers = [], deletionTimestamp} = object.metadata
      if (deletionTimestamp !== undefined && finalizers.includes('foregroundDeletion')) {
        const pods = this.#podsOf(object.metadata.uid)
        for (const pod of pods) this.#endPod(pod)
        if (pods.length === 0) this.#server.remove(path)
      } else if (object.kind === 'Deployment') this.#deployment(path, object)
      else if (object.kind === 'Job') this.#job(path, object)
      if (finalizers.includes('cloud/lb') && deletionTimestamp !== undefined)
        this.#later(3000, () => this.#server.remove(path))
    }
    const owners = new Set([...this.#server.objects.values()].map(({metadata}) => metadata.uid))
    for (const [path, pod] of this.#server.objects)
      if (path.startsWith(`${PODS}/`)) {
        const [owner = ''] = pod.metadata.ownerReferences?.[0]?.uid.split('/') ?? []
        if (!owners.has(owner)) this.#endPod(pod)
      }
    for (const pod of this.pods.values()) {
      const stored = this.#server.objects.get(pod.path)
      if (stored?.metadata.deletionTimestamp !== undefined && !pod.isEnding) this.#end(pod)
    }
  }

  #endPod(pod: Stored): void {
    if (pod.metadata.deletionTimestamp === undefined) this.#server.delete(`${PODS}/${pod.metadata.name}`)
  }

  #deployment(path: string, object: Stored): void {
    const hash = JSON.stringify((object.spec as {template: {mark: unknown}}).template)
    const {replicas = 1} = object.spec as {replicas?: number}
    const all = this.#podsOf(object.metadata.uid).filter(
      ({metadata, status}) => metadata.deletionTimestamp === undefined && status?.['phase'] !== 'Failed'
    )
    const now = all.filter(({metadata}) => metadata.ownerReferences?.[0]?.uid === `${object.metadata.uid}/${hash}`)
    const old = all.filter(pod => !now.includes(pod))
    const ready = now.filter(isReady)
    if (now.length < replicas) this.#makePod(object, hash)
    else for (const pod of now.slice(replicas)) this.#endPod(pod)
    if (ready.length >= replicas) for (const pod of old) this.#endPod(pod)
    this.#server.save(path, {
      ...object,
      status: {
        observedGeneration: object.metadata.generation,
        replicas: all.length,
        updatedReplicas: now.length,
        availableReplicas: all.filter(isReady).length
      }
    })
  }

  #job(path: string, object: Stored): void {
    const pods = this.#podsOf(object.metadata.uid)
    if (pods.length === 0 && object.status === undefined) this.#makePod(object, 'job')
    for (const {status} of pods) {
      const code = (
        status as {containerStatuses?: {name: string; state?: {terminated?: {exitCode: number}}}[]} | undefined
      )?.containerStatuses?.find(({name}) => name === object.metadata.name)?.state?.terminated?.exitCode
      if (code !== undefined && object.status === undefined)
        this.#server.save(path, {...object, status: code === 0 ? {succeeded: 1} : {failed: 1}})
    }
  }

  #makePod({metadata: {uid, name, labels = {}}, kind, spec}: Stored, hash: string): void {
    const {mark} = (spec as {template: {mark: string}}).template
    const full = `${name}-${++this.#count}`
    const path = `${PODS}/${full}`
    const containers = [{name}, {name: 'daprd', args: ['--app-id', name]}]
    const stored = this.#server.save(path, {
      metadata: {name: full, labels, ownerReferences: [{uid: `${uid}/${hash}`}]},
      spec: {containers, mark},
      status: {phase: 'Pending'}
    })
    const pod: Running = {
      path,
      uid: stored.metadata.uid,
      app: name,
      labels,
      madeAt: this.#time.now,
      starts: new Map(containers.map(each => [each.name, []])),
      isBackingOff: false,
      isEvicted: false,
      isEnding: false
    }
    this.pods.set(path, pod)
    this.#later(1500, () => {
      if (pod.isEnding || pod.isEvicted) return
      for (const container of pod.starts.keys()) this.#begin(pod, container)
      this.#publish(pod)
      if (kind === 'Job')
        this.#later(4000, () => {
          this.exit(pod, name, mark.startsWith('bad') ? 3 : 0)
          if (!this.#random.oneIn(3)) this.exit(pod, 'daprd', 0)
        })
      else if (mark.startsWith('bad')) this.#later(500, () => this.exit(pod, name, 1))
    })
  }

  #begin(pod: Running, container: string): void {
    const start: Start = {id: `fake://${++this.#count}`, startedAt: this.#server.stamp(), lines: [], end: undefined}
    pod.starts.get(container)?.push(start)
    for (let n = this.#random.below(4); n >= 0; n--) this.#print(pod, container, start)
    this.#chat(pod, container, start)
  }

  #chat(pod: Running, container: string, start: Start): void {
    this.#later(6000, () => {
      if (start.end !== undefined) return
      for (let n = this.#random.below(3); n >= 0; n--) this.#print(pod, container, start)
      if (start.lines.length < 40) this.#chat(pod, container, start)
    })
  }

  #print(pod: Running, container: string, start: Start): void {
    const line = {
      at: this.#server.stamp().replace('Z', '000000Z'),
      text: `${pod.path.slice(PODS.length + 1)} ${container} ${start.id} line ${++this.#lines}`
    }
    start.lines.push(line)
    for (const {response, start: read} of this.#readers) if (read === start) response.write(`${line.at} ${line.text}\n`)
  }

  /** A container ends; one of a Deployment starts again. */
  exit(pod: Running, container: string, exitCode: number): void {
    const starts = pod.starts.get(container) ?? []
    const last = starts.at(-1)
    if (last === undefined || last.end !== undefined || pod.isEvicted) return
    if (this.#random.oneIn(2)) this.#print(pod, container, last)
    this.#finish(last, exitCode, exitCode === 0 ? 'Completed' : 'Error')
    // the node may not tell of the end before the next start
    if (!this.#random.oneIn(4)) this.#publish(pod)
    const isJob = this.#ownerKind(pod) === 'Job'
    if (isJob || pod.isEnding) return this.#publish(pod)
    this.#later(this.#random.pick([50, 300, 4000]), () => {
      if (pod.isEnding || pod.isEvicted) return
      this.#begin(pod, container)
      this.#publish(pod)
      const {mark = ''} = (this.#server.objects.get(pod.path)?.spec ?? {}) as {mark?: string}
      if (container === pod.app && mark.startsWith('bad')) this.#later(500, () => this.exit(pod, container, 1))
    })
  }

  #ownerKind(pod: Running): string | undefined {
    const [owner] = this.#server.objects.get(pod.path)?.metadata.ownerReferences?.[0]?.uid.split('/') ?? []
    return [...this.#server.objects.values()].find(({metadata}) => metadata.uid === owner)?.kind
  }

  #finish(start: Start, exitCode: number, reason: string): void {
    start.end = {exitCode, reason, finishedAt: this.#server.stamp()}
    for (const reader of this.#readers)
      if (reader.start === start) {
        this.#readers.delete(reader)
        reader.response.end()
      }
  }

  evict(pod: Running): void {
    if (pod.isEnding || pod.isEvicted) return
    pod.isEvicted = true
    for (const starts of pod.starts.values()) {
      const last = starts.at(-1)
      if (last !== undefined && last.end === undefined) this.#finish(last, 137, 'Error')
    }
    this.#publish(pod)
  }

  /** The pod was deleted: it has its grace. */
  #end(pod: Running): void {
    pod.isEnding = true
    const grace = this.#random.pick([100, 1000, 1000, 8000])
    this.#later(grace, () => {
      for (const [container, starts] of pod.starts) {
        const last = starts.at(-1)
        if (last === undefined || last.end !== undefined) continue
        this.#print(pod, container, last)
        this.#finish(last, 143, 'Error')
      }
      if (!pod.isEvicted) this.#publish(pod)
      this.#later(300, () => {
        this.pods.delete(pod.path)
        this.#server.remove(pod.path)
      })
    })
  }

  #publish(pod: Running): void {
    const stored = this.#server.objects.get(pod.path)
    if (stored === undefined) return
    const containerStatuses = [...pod.starts].map(([name, starts]) => {
      const [last, before] = [starts.at(-1), starts.at(-2)]
      const terminated = last === undefined ? undefined : ended(last)
      return {
        name,
        image: '',
        restartCount: Math.max(0, starts.length - 1),
        ready: last !== undefined && last.end === undefined,
        ...(last !== undefined && {containerID: last.id}),
        state:
          last === undefined
            ? {waiting: {reason: 'ContainerCreating'}}
            : terminated === undefined
              ? {running: {startedAt: last.startedAt}}
              : {terminated},
        lastState: before === undefined ? {} : {terminated: ended(before)}
      }
    })
    const isOver = containerStatuses.every(({state}) => 'terminated' in state) && this.#ownerKind(pod) === 'Job'
    this.#server.save(pod.path, {
      ...stored,
      status: {
        phase: pod.isEvicted ? 'Failed' : isOver ? 'Succeeded' : 'Running',
        ...(pod.isEvicted && {message: 'The node was low on memory'}),
        containerStatuses
      }
    })
  }

  /** The logs that are followed break off. */
  cutLogs(): void {
    for (const {response} of this.#readers) response.destroy()
    this.#readers.clear()
  }

  #sendLog(path: string, query: URLSearchParams, response: ServerResponse): void {
    const pod = this.pods.get(path)
    const refuse = (code: number): void => {
      response.writeHead(code)
      response.end(JSON.stringify({kind: 'Status', code}))
    }
    if (pod === undefined) return refuse(404)
    const starts = pod.starts.get(query.get('container') ?? '') ?? []
    const start = query.has('previous') ? starts.at(-2) : starts.at(-1)
    if (start === undefined) return refuse(400)
    const since = query.get('sinceTime')
    const tail = query.get('tailLines')
    const whole = since === null ? '' : `${since.slice(0, 19)}.`
    const lines = start.lines.filter(({at}) => at >= whole).slice(tail === null ? 0 : -Number(tail) || Infinity)
    response.writeHead(200, {'content-type': 'text/plain'})
    response.flushHeaders()
    for (const {at, text} of lines) response.write(`${at} ${text}\n`)
    if (query.get('follow') !== 'true' || start.end !== undefined) return void response.end()
    const reader = {response, start}
    this.#readers.add(reader)
    response.on('close', () => this.#readers.delete(reader))
  }
}

const isReady = ({status}: Stored): boolean => {
  const {containerStatuses = []} = (status ?? {}) as {containerStatuses?: readonly {ready: boolean}[]}
  return containerStatuses.length > 0 && containerStatuses.every(({ready}) => ready)
}

const ended = ({id, startedAt, end}: Start) => (end === undefined ? undefined : {...end, containerID: id, startedAt})
