import type {Environment} from '../../model/environment.ts'

/** The namespace of a sidecar with this environment (Dapr: pkg/security, CurrentNamespace). */
export const namespaceOf = ({NAMESPACE: namespace = 'default'}: Environment): string => namespace

/** The trust domain of an app whose Configuration names none (Dapr: pkg/config, DefaultTrustDomain). */
export const DEFAULT_TRUST_DOMAIN = 'public'
