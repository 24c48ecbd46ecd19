import type {AppPlan, Plan} from '../model/plan.ts'

/** Settings of an app that are not supported yet, by their keys in the template. */
const UNBUILT: readonly (readonly [key: string, isAsked: (app: AppPlan) => boolean])[] = [
  ['enableAppHealthCheck with gRPC', ({health, channel}) => health.enabled && channel.protocol.startsWith('grpc')]
]

/** `appProtocol: grpc` → `--app-protocol grpc`. */
const asFlag = (key: string): string => {
  const [name = '', ...rest] = key.replace(':', '').split(' ')
  return [`--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`, ...rest].join(' ')
}

/**
 * A warning for each unsupported setting, with the apps that use it. For a single app it names the flag.
 */
export function warnOfUnbuilt({apps, file}: Plan): readonly string[] {
  return UNBUILT.flatMap(([key, isAsked]) => {
    const ids = apps.filter(isAsked).map(({id}) => id)
    if (ids.length === 0) return []
    return [
      file === ''
        ? `${asFlag(key)} is not supported yet: ignored`
        : `${key} is not supported yet: ignored for ${ids.join(', ')}`
    ]
  })
}
