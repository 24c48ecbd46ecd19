import type {Environment} from '../../model/environment.ts'

/** The namespace of a sidecar with this environment (Dapr: pkg/security, CurrentNamespace). */
export const namespaceOf = ({NAMESPACE: namespace = 'default'}: Environment): string => namespace
