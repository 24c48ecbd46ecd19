/** The namespace of a sidecar with this environment (Dapr: pkg/security, CurrentNamespace). */
export const namespaceOf = ({NAMESPACE: namespace = 'default'}: Readonly<Record<string, string | undefined>>): string =>
  namespace
