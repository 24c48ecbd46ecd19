import type {Component, OpenComponent, OpenOptions} from '../../src/dapr/components/component.ts'
import {Properties} from '../../src/dapr/components/properties.ts'

/** Opens a component as a run does; it is closed when the test ends. */
export async function openComponent<T extends Component>(
  t: {teardown(end: () => unknown): void},
  open: OpenComponent<T>,
  metadata: Readonly<Record<string, string>>,
  more: Partial<OpenOptions> = {}
): Promise<T> {
  const place = {file: 'component.yaml', line: 1, column: 1, source: ''}
  const component = await open({
    name: 'component',
    version: 'v1',
    properties: new Properties(Object.entries(metadata).map(([name, value]) => ({name, value, place}))),
    folder: '/',
    env: {},
    redis: {
      connect: async () => {
        throw new Error('there is no Redis in this test')
      }
    },
    warn: () => undefined,
    ...more
  })
  t.teardown(async () => component.close?.())
  return component
}
