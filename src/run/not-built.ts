import type {AppPlan, Plan} from '../model/plan.ts'

/** What an app's plan asks for and no part of the program does yet, by the names of the template's keys. */
const UNBUILT: readonly (readonly [key: string, isAsked: (app: AppPlan) => boolean])[] = [
  ['enableAppHealthCheck with gRPC', ({health, channel}) => health.enabled && channel.protocol.startsWith('grpc')]
]

/** `appProtocol: grpc` → `--app-protocol grpc`. */
const asFlag = (key: string): string => {
  const [name = '', ...rest] = key.replace(':', '').split(' ')
  return [`--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`, ...rest].join(' ')
}

/**
 * A warning for each such key, naming the apps: what is asked for and not done is never passed over in silence. Without a
 * template the flag is named, and there is one app.
 */
export function warnOfUnbuilt({apps, file}: Plan): readonly string[] {
  return UNBUILT.flatMap(([key, isAsked]) => {
    const ids = apps.filter(isAsked).map(({id}) => id)
    if (ids.length === 0) return []
    return [
      file === ''
        ? `${asFlag(key)} is not built yet: ignored`
        : `${key} is not built yet: ignored for ${ids.join(', ')}`
    ]
  })
}
