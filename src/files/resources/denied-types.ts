import type {Place} from '../../model/errors.ts'
import type {ComponentResource} from './components.ts'
import type {Field} from './field.ts'
import type {WithoutEffect} from './without-effect.ts'

/** A type of Components that an app may not have. */
export interface DeniedType {
  readonly type: string
  /** Version; an empty string means each. */
  readonly version: string
  readonly place: Place
}

/** `spec.components.deny` of a Configuration: `state.redis`, or `state.redis/v1`. */
export function readDeniedTypes(spec: Field): readonly DeniedType[] {
  const components = spec.field('components')
  components.warnUnknownKeys(['deny'])
  return components
    .field('deny')
    .items()
    .filter(item => item.text() !== '')
    .map(item => {
      const [type = '', ...version] = item.text().split('/')
      return {type, version: version.join('/'), place: item.place}
    })
}

/**
 * Returns why an app must not use a Component, if it must not. As in Dapr, a Component without a version is refused if
 * any type is denied (pkg/runtime/authorizer/denylist.go).
 */
export function denialOf(denied: readonly DeniedType[], component: ComponentResource): WithoutEffect | undefined {
  const {name, type, version, place} = component
  const isNamed = (each: DeniedType): boolean =>
    version === '' || (each.type === type && (each.version === '' || each.version === version))
  const found = denied.find(isNamed)
  if (found === undefined) return undefined
  const lacks = version === '' ? ', and it has no version' : ''
  const why = `spec.components.deny of ${found.place.file}:${found.place.line} refuses its type${lacks}`
  return {what: `Component "${name}" (${type})`, why, place, isDenied: true, component}
}
