/** The part of a pod that we read (`core/v1`). */
export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly {readonly uid: string}[]
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
  }
  readonly spec: {readonly containers: readonly Container[]; readonly initContainers?: readonly Container[]}
  readonly status?: {
    readonly phase?: string
    readonly message?: string
    readonly conditions?: readonly PodCondition[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly args?: readonly string[]
}

export interface PodCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly restartCount: number
  readonly image: string
  readonly containerID?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export interface ContainerState {
  readonly waiting?: {readonly reason?: string; readonly message?: string}
  readonly running?: {readonly startedAt: string}
  readonly terminated?: Terminated
}

export interface Terminated {
  readonly exitCode: number
  readonly reason?: string
  readonly containerID?: string
  readonly startedAt?: string
  readonly finishedAt?: string
}

/** The name of the container that Dapr's injector adds. */
export const SIDECAR = 'daprd'

/** All containers of a pod; Dapr's sidecar may be an init container that keeps running. */
export const containersOf = ({spec}: Pick<Pod, 'spec'>): readonly Container[] =>
  [spec.initContainers ?? [], spec.containers].flat()

export const statusesOf = ({status}: Pick<Pod, 'status'>): readonly ContainerStatus[] =>
  [status?.initContainerStatuses ?? [], status?.containerStatuses ?? []].flat()

export const sidecarOf = (pod: Pick<Pod, 'spec'>): Container | undefined =>
  containersOf(pod).find(({name}) => name === SIDECAR)

export const conditionOf = ({status}: Pick<Pod, 'status'>, type: string): PodCondition | undefined =>
  status?.conditions?.find(each => each.type === type)

/** The value that follows a flag among the sidecar's arguments: `--app-id shop`, `--app-id=shop`. */
export function argument({args = []}: Container, flag: string): string {
  const at = args.indexOf(flag)
  if (at >= 0) return args[at + 1] ?? ''
  return args.find(arg => arg.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? ''
}
