import type {Place, PlacedMistake} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {ResourceSnapshot} from '../../files/resources/app-resources.ts'
import {dirname, relative} from 'node:path'
import type {Plan} from '../../model/plan.ts'
import {readTextFile} from '../../model/read-file.ts'
import {parseResourceFile} from '../../files/resources/resource-file.ts'
import {filesIn} from '../../files/resources/resource-folder.ts'

/** A resource's reference to a component of a kind, and the effect if that component is missing. */
interface NamedComponent {
  readonly kind: 'pubsub' | 'secretstores'
  readonly name: string
  readonly place: Place
  readonly effect: string
}

/** Returns a mistake for each component name in an app's resources that none of the app's components has. */
export function unknownComponents(snapshot: ResourceSnapshot): readonly PlacedMistake[] {
  return namedIn(snapshot).flatMap(({kind, name, place, effect}) => {
    const names = snapshot.components.flatMap(each => (each.type.startsWith(`${kind}.`) ? each.name : []))
    if (names.includes(name)) return []
    const near = nearMiss(name, names)
    const hint = near !== '' ? `did you mean ${near}?` : names.length > 0 ? `there is: ${names.join(', ')}` : ''
    return {message: `no Component of ${kind} has the name ${name}: ${effect}`, place, expected: '', hint}
  })
}

function namedIn({components, subscriptions}: ResourceSnapshot): readonly NamedComponent[] {
  return [
    ...components.flatMap(({name: store, type, properties}) =>
      properties.flatMap(({name, value, place}) =>
        type.startsWith('state.') && name.toLowerCase() === 'outboxpublishpubsub' && value !== ''
          ? {kind: 'pubsub' as const, name: value, place, effect: `transactions of ${store} are refused`}
          : []
      )
    ),
    ...components.flatMap(({secretStore, properties}) => {
      const place = properties.find(({secret}) => secret !== undefined)?.place
      const effect = 'its secrets are not there'
      return place === undefined || secretStore === ''
        ? []
        : {kind: 'secretstores' as const, name: secretStore, place, effect}
    }),
    ...subscriptions.map(({pubsubName, topic, place}) => ({
      kind: 'pubsub' as const,
      name: pubsubName,
      place,
      effect: `no event of ${topic} arrives`
    }))
  ]
}

/** Returns a mistake for each entry of `scopes`, in the resources of a template, that is not the id of one of its apps. */
export function unknownScopes({apps, leftOut = []}: Plan, cwd: string): readonly PlacedMistake[] {
  const all = [...apps, ...leftOut]
  const ids = [...new Set(all.map(({id}) => id))]
  // the components in Dapr's own folder serve all templates, and may name apps of others
  const usual = new Set(all.map(({resources}) => resources.defaultFolder))
  const folders = new Set(all.flatMap(({resources}) => resources.folders).filter(folder => !usual.has(dirname(folder))))
  return [...folders].flatMap(filesIn).flatMap(file => scopesIn(file, cwd).flatMap(scope => mistakeOf(scope, ids)))
}

type Scope = Pick<PlacedMistake, 'place'> & {readonly id: string}

function scopesIn(file: string, cwd: string): readonly Scope[] {
  try {
    const short = relative(cwd, file)
    const {documents} = parseResourceFile({file: short.startsWith('..') ? file : short, text: readTextFile(file)})
    return documents
      .filter(document => document.field('apiVersion').text().startsWith('dapr.io/'))
      .flatMap(document => document.field('scopes').items())
      .map(item => ({id: item.text(), place: item.place}))
  } catch {
    return [] // the file cannot be read, which another check of resources reports
  }
}

function mistakeOf({id, place}: Scope, ids: readonly string[]): readonly PlacedMistake[] {
  if (id === '' || ids.includes(id) || id.includes('${')) return []
  const near = nearMiss(id, ids)
  const hint = near === '' ? `the apps are: ${ids.join(', ')}` : `did you mean ${near}?`
  return [{message: `scopes names ${id}, which is no app of this template`, place, expected: '', hint}]
}
