import {componentType} from '../../src/dapr/components/block-types.ts'
import {isDaprType} from '../../src/files/resources/component-types.ts'
import type {ComponentResource} from '../../src/files/resources/components.ts'

/** A Component as its file has it. */
export function componentResource(
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>>
): ComponentResource {
  const place = {file: `${name}.yaml`, line: 1, column: 1, source: ''}
  const reference = {secret: undefined, envRef: '', place}
  return {
    name,
    namespace: '',
    scopes: [],
    type,
    isOfDapr: isDaprType(type),
    capabilities: componentType(type)?.capabilities,
    version: 'v1',
    properties: Object.entries(metadata).map(([key, value]) => ({name: key, value, ...reference})),
    initTimeoutMs: 60_000,
    ignoresErrors: false,
    secretStore: '',
    isDefault: false,
    place,
    typePlace: place
  }
}
