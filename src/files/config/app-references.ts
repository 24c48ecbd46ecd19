import {appReferences, PROPERTIES, type AppReference} from '../../model/app-reference.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {AppKey, ForEach, Settings} from './merge.ts'
import type {Entry} from './service-versions.ts'

/** The keys whose values may name addresses of apps: they are read when a process starts. */
const MAY_NAME: readonly AppKey[] = ['env', 'command']
const READY_COMMAND = 'ready.command'

/** Refuses `${app.ID.PROPERTY}` of an unknown app, of an app without an address, and in keys that are read before ports are known. */
export function checkReferences(entries: readonly Entry[], each: ForEach): void {
  const all = entries.map(({plan}) => plan)
  each(entries, ({settings}) => {
    for (const [key, inside, text] of textsOf(settings))
      for (const reference of appReferences(text)) {
        const mistake = mistakeOf(reference, key === 'ready' && inside[0] === 'command' ? READY_COMMAND : key, all)
        if (mistake !== undefined) settings.refuse({key, inside, ...mistake})
      }
  })
}

type Text = readonly [key: AppKey, inside: readonly string[], text: string]

function* textsOf({values}: Settings): Generator<Text> {
  for (const [key, value] of Object.entries(values) as [AppKey, unknown][]) yield* textsIn(key, [], value)
}

function* textsIn(key: AppKey, inside: readonly string[], value: unknown): Generator<Text> {
  if (typeof value === 'string') yield [key, inside, value]
  else if (typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) yield* textsIn(key, [...inside, name], each)
}

function mistakeOf(
  {written, id, property}: AppReference,
  key: AppKey | typeof READY_COMMAND,
  apps: readonly AppPlan[]
): {readonly message: string; readonly hint: string} | undefined {
  const app = apps.find(each => each.id === id)
  if (key !== READY_COMMAND && !MAY_NAME.includes(key))
    return {
      message: `${key} cannot contain ${written}`,
      hint: `addresses of apps have a meaning in ${MAY_NAME.join(', ')} and ${READY_COMMAND}`
    }
  if (!PROPERTIES.some(each => each === property))
    return {
      message: `${written} names no property of an app`,
      hint: `expected ${PROPERTIES.map(each => `\${app.ID.${each}}`).join(', ')}`
    }
  if (app === undefined)
    return {
      message: `${written}: the template has no app ${JSON.stringify(id)}`,
      hint: `it has ${apps.map(each => each.id).join(', ')}`
    }
  if (app.published === undefined && app.channel.port === 0 && !app.channel.autoPort)
    return {message: `${written}: ${JSON.stringify(id)} has no address`, hint: 'give it a port, or autoPort: true'}
  return undefined
}
