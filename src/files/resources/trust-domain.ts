/** The trust domain of an app whose Configuration names none (Dapr: pkg/config, DefaultTrustDomain). */
export const DEFAULT_TRUST_DOMAIN = 'public'
