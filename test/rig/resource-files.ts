/** The text of a Component. */
export const component = (
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {}
): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: {name},
    spec: {type, version: 'v1', metadata: Object.entries(metadata).map(([key, value]) => ({name: key, value})), ...more}
  })
