import {AccessControlInterceptor} from '../gateway/interceptors/access-control.ts'
import {DEFAULT_TRUST_DOMAIN} from '../resources/access-control.ts'
import type {AppResources, ResourceSnapshot} from '../resources/app-resources.ts'
import type {Configuration} from '../resources/dapr-configuration.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

/** Who may call the app, who it is when it calls others, and whether it can be started, as its Configuration has it now. Gives what ends that. */
export function followAccess(runtime: AppRuntime, resources: AppResources, namespace: string): () => void {
  let current: Configuration | undefined
  const follow = ({configuration}: ResourceSnapshot): void => {
    if (configuration === current) return
    current = configuration
    const {accessControl, fault} = configuration
    runtime.fault = fault
    const {id, plan} = runtime
    runtime.identity = {appId: id, namespace, trustDomain: accessControl?.trustDomain ?? DEFAULT_TRUST_DOMAIN}
    const isHttp = !plan.channel.protocol.startsWith('grpc')
    runtime.accessControl = accessControl && new AccessControlInterceptor(accessControl, isHttp)
  }
  follow(resources.snapshot)
  return resources.onChange(follow)
}
