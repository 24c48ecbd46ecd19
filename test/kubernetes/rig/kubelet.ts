import {randomUUID} from 'node:crypto'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {createServer, type Server} from 'node:https'
import {setTimeout as pause} from 'node:timers/promises'
import type {AddressInfo} from 'node:net'
import type {ApiServer} from './api-server.ts'
import type {ContainerSpec, Live} from './kube.ts'

/** What a container does: by the name of its image, without tag. */
export type Program = (container: FakeContainer) => void

interface Line {
  readonly time: string
  readonly text: string
}

/** One start of a container. */
interface Start {
  readonly id: string
  readonly startedAt: string
  readonly lines: Line[]
  readonly readers: Set<() => void>
  end: {exitCode: number; finishedAt: string} | undefined
}

/** After it has ended a container waits so long before it starts again. */
const BACKOFF_MS = 1000

/** A container as the kubelet knows it; a `Program` drives it. */
export class FakeContainer {
  readonly name: string
  readonly pod: FakePod
  readonly spec: ContainerSpec
  readonly isInit: boolean
  /** The latest two, as a kubelet keeps them. */
  starts: Start[] = []
  restarts = 0
  isReady = false
  /** Called when the lines of its last start are asked for. */
  onRead: () => void = () => undefined
  waiting: {reason: string; message: string} | undefined = {reason: 'ContainerCreating', message: ''}

  constructor(pod: FakePod, spec: ContainerSpec, isInit: boolean) {
    this.pod = pod
    this.name = spec.name
    this.spec = spec
    this.isInit = isInit
  }

  get last(): Start | undefined {
    return this.starts.at(-1)
  }

  /** Writes lines; a text without newline is a line, too. */
  log(text: string): void {
    const start = this.last
    if (start === undefined) return
    for (const line of text.replace(/\n$/, '').split('\n')) start.lines.push({time: stamp(), text: line})
    for (const read of start.readers) read()
  }

  ready(is = true): void {
    this.isReady = is
    this.pod.report()
  }

  start(): void {
    this.waiting = undefined
    const start = {
      id: `test://${randomUUID()}`,
      startedAt: seconds(),
      lines: [],
      readers: new Set<() => void>(),
      end: undefined
    }
    this.starts = [...this.starts.slice(-1), start]
  }

  exit(exitCode: number): void {
    const start = this.last
    if (start === undefined || start.end !== undefined) return
    this.isReady = false
    start.end = {exitCode, finishedAt: seconds()}
    for (const read of start.readers) read()
    this.pod.report()
    if (this.pod.isEnding || this.pod.object.spec.restartPolicy === 'Never') return
    setTimeout(() => this.pod.restart(this), BACKOFF_MS)
  }

  get status(): unknown {
    const [before, now] = this.starts.length > 1 ? this.starts : [undefined, this.starts[0]]
    return {
      name: this.name,
      image: this.spec.image,
      imageID: '',
      ready: this.isReady,
      started: now !== undefined && now.end === undefined,
      restartCount: this.restarts,
      ...(now !== undefined && {containerID: now.id}),
      state: this.waiting !== undefined && now === undefined ? {waiting: this.waiting} : stateOf(now),
      ...(before?.end !== undefined && {lastState: stateOf(before)})
    }
  }
}

const stateOf = (start: Start | undefined): unknown => {
  if (start === undefined) return {}
  const {id, startedAt, end} = start
  if (end === undefined) return {running: {startedAt}}
  return {terminated: {...end, startedAt, containerID: id, reason: end.exitCode === 0 ? 'Completed' : 'Error'}}
}

let stamps = 0
/** RFC 3339 with nine digits, each time another one. */
const stamp = (): string => new Date().toISOString().replace('Z', `${String(stamps++ % 1_000_000).padStart(6, '0')}Z`)
const seconds = (): string => `${new Date().toISOString().slice(0, 19)}Z`

/** A pod on the node. */
export class FakePod {
  readonly kubelet: Kubelet
  object: Live
  readonly containers: readonly FakeContainer[]
  isEnding = false
  #reporting = Promise.resolve()
  #isDue = false

  constructor(kubelet: Kubelet, object: Live) {
    this.kubelet = kubelet
    this.object = object
    const {initContainers: inits = [], containers: others = []} = object.spec
    this.containers = [
      ...inits.map(spec => new FakeContainer(this, spec, true)),
      ...others.map(spec => new FakeContainer(this, spec, false))
    ]
  }

  get path(): string {
    const {namespace, name} = this.object.metadata
    return `/api/v1/namespaces/${namespace}/pods/${name}`
  }

  container(name: string): FakeContainer {
    const found = this.containers.find(each => each.name === name)
    if (found === undefined) throw new Error(`${this.path} has no container ${name}`)
    return found
  }

  async begin(): Promise<void> {
    const {kube} = this.kubelet.api
    const {name, namespace} = this.object.metadata
    const target = {apiVersion: 'v1', kind: 'Node', name: this.kubelet.node}
    await kube.ask('POST', `${this.path}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: {name, namespace},
      target
    })
    for (const container of this.containers) this.restart(container, true)
  }

  restart(container: FakeContainer, isFirst = false): void {
    if (this.isEnding) return
    const {image} = container.spec
    const fault = faultOf(image)
    if (fault !== undefined) {
      container.waiting = fault
      return this.report()
    }
    if (!isFirst) container.restarts++
    container.start()
    this.kubelet.programOf(image)(container)
    this.report()
  }

  async end(): Promise<void> {
    if (this.isEnding) return
    this.isEnding = true
    await this.kubelet.onEnd(this)
    for (const container of this.containers) container.exit(0)
    await this.kubelet.api.kube.ask('DELETE', this.path, {gracePeriodSeconds: 0})
  }

  /** Tells the API server the newest state; several calls at once become one. */
  report(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#reporting = this.#reportAfter(this.#reporting)
  }

  async #reportAfter(before: Promise<void>): Promise<void> {
    await before
    this.#isDue = false
    const {code = 200} = await this.kubelet.api.kube.merge(`${this.path}/status`, {status: this.#status})
    // what the server did not take is told again, as by a kubelet; 404: the pod is gone
    if (code < 400 || code === 404) return
    await pause(100)
    this.report()
  }

  get #status(): unknown {
    const own = this.containers.filter(({isInit}) => !isInit)
    const isReady = this.containers.every(each => each.isReady)
    const isOver = this.object.spec.restartPolicy === 'Never' && own.every(({last}) => last?.end !== undefined)
    const hasFailed = own.some(({last}) => last?.end !== undefined && last.end.exitCode !== 0)
    return {
      phase: isOver
        ? hasFailed
          ? 'Failed'
          : 'Succeeded'
        : own.some(({last}) => last !== undefined)
          ? 'Running'
          : 'Pending',
      conditions: [condition('PodScheduled', true), condition('Ready', isReady), condition('ContainersReady', isReady)],
      initContainerStatuses: this.containers.filter(({isInit}) => isInit).map(({status}) => status),
      containerStatuses: own.map(({status}) => status)
    }
  }
}

const condition = (type: string, is: boolean): unknown => ({
  type,
  status: is ? 'True' : 'False',
  lastTransitionTime: seconds()
})

/** Images that are not there. */
function faultOf(image: string): {reason: string; message: string} | undefined {
  if (/[A-Z ]/.test(image)) return {reason: 'InvalidImageName', message: `couldn't parse image name "${image}"`}
  if (!image.includes('missing')) return undefined
  return {reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": not found`}
}

/** In place of a node: binds pods, plays what is in them, reports it, and serves their logs to the API server. */
export class Kubelet {
  readonly api: ApiServer
  readonly node = 'node-1'
  readonly pods = new Map<string, FakePod>()
  readonly #programs = new Map<string, Program>()
  #server: Server | undefined
  /** No node takes pods with this image. */
  readonly unschedulable = new Set<string>()
  /** Called before the containers of a pod get their signal. */
  onEnd: (pod: FakePod) => Promise<void> = async () => undefined

  constructor(api: ApiServer) {
    this.api = api
    this.#programs.set('daprio/daprd', container => {
      container.log('time="now" level=info msg="dapr initialized. Status: Running."')
      container.isReady = true
    })
  }

  /** What containers of an image do. Others write `started` and are ready. */
  program(image: string, program: Program): void {
    this.#programs.set(image, program)
  }

  programOf(image: string): Program {
    return (
      this.#programs.get(image.replace(/:[^/]*$/, '')) ??
      (container => {
        container.log('started')
        container.isReady = true
      })
    )
  }

  /** The pods of an app that are not on their way out. */
  podsOf(namespace: string, id: string): readonly FakePod[] {
    return [...this.pods.values()].filter(
      ({object: {metadata}, isEnding}) =>
        !isEnding && metadata.namespace === namespace && metadata.labels?.['app'] === id
    )
  }

  async start(): Promise<void> {
    this.#server = createServer(this.api.certificate, (request, response) => this.#answer(request, response))
    await new Promise<void>(resolve => this.#server?.listen(0, '127.0.0.1', resolve))
    const {port} = this.#server.address() as AddressInfo
    const {kube} = this.api
    await kube.must('POST', '/api/v1/nodes', {apiVersion: 'v1', kind: 'Node', metadata: {name: this.node}})
    await kube.merge(`/api/v1/nodes/${this.node}/status`, {
      status: {
        addresses: [{type: 'InternalIP', address: '127.0.0.1'}],
        daemonEndpoints: {kubeletEndpoint: {Port: port}},
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Test',
            message: '',
            lastTransitionTime: seconds(),
            lastHeartbeatTime: seconds()
          }
        ]
      }
    })
    void this.#watch()
  }

  close(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  /** A watch that breaks is begun again, as a kubelet does: all pods come again, and those that are known change nothing. */
  async #watch(): Promise<void> {
    while (this.#server?.listening === true)
      try {
        for await (const {type, object} of this.api.kube.watch('/api/v1/pods')) this.#see(type, object)
      } catch {
        await pause(100) // the API server may be gone
      }
  }

  #see(type: string, object: Live): void {
    const {uid, deletionTimestamp} = object.metadata
    const known = this.pods.get(uid)
    if (type === 'DELETED') this.pods.delete(uid)
    else if (known !== undefined) {
      known.object = object
      if (deletionTimestamp !== undefined) void known.end()
    } else if (deletionTimestamp === undefined) {
      const pod = new FakePod(this, object)
      this.pods.set(uid, pod)
      if (pod.containers.some(({spec}) => this.unschedulable.has(spec.image))) void this.#leave(pod)
      else void pod.begin()
    }
  }

  async #leave(pod: FakePod): Promise<void> {
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient memory.',
      lastTransitionTime: seconds()
    }
    await this.api.kube.merge(`${pod.path}/status`, {status: {phase: 'Pending', conditions: [condition]}})
  }

  /** `/containerLogs/NAMESPACE/POD/CONTAINER?follow=true&…` */
  #answer({url = ''}: IncomingMessage, response: ServerResponse): void {
    const {pathname, searchParams} = new URL(url, 'http://kubelet')
    const [, , namespace, name, container] = pathname.split('/')
    const pod = [...this.pods.values()].find(
      ({object: {metadata}}) => metadata.name === name && metadata.namespace === namespace
    )
    const read = pod?.containers.find(each => each.name === container)
    const start = read?.last
    if (start === undefined) {
      response.writeHead(pod === undefined ? 404 : 400)
      response.end(`container "${container}" in pod "${name}" is waiting to start`)
      return
    }
    serve(start, searchParams, response)
    read?.onRead()
  }
}

function serve(start: Start, asked: URLSearchParams, response: ServerResponse): void {
  const hasTimes = asked.get('timestamps') === 'true'
  const tail = asked.get('tailLines')
  const seconds = asked.get('sinceSeconds')
  const since = seconds === null ? Date.parse(asked.get('sinceTime') ?? '') || 0 : Date.now() - Number(seconds) * 1000
  const known = start.lines.filter(({time}) => Date.parse(time) >= Math.floor(since / 1000) * 1000)
  let next = start.lines.length - (tail === null ? known.length : Math.min(Number(tail), known.length))
  const read = (): void => {
    const text = start.lines.slice(next).map(({time, text: line}) => `${hasTimes ? `${time} ` : ''}${line}\n`)
    next = start.lines.length
    if (text.length > 0) response.write(text.join(''))
    if (start.end !== undefined || asked.get('follow') !== 'true') response.end()
  }
  response.writeHead(200, {'content-type': 'text/plain'})
  start.readers.add(read)
  response.on('close', () => start.readers.delete(read))
  read()
}
