import type {Place, PlacedMistake} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {ResourceSnapshot} from '../../files/resources/app-resources.ts'

/** A resource's reference to a component of a kind, and the effect of its absence. */
interface NamedComponent {
  readonly kind: 'pubsub' | 'secretstores'
  readonly name: string
  readonly place: Place
  readonly effect: string
}

/** Names in the resources of an app that no component of the app has. */
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
