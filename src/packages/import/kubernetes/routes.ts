// Ways into a cluster: paths of an Ingress, and routes of other kinds by their names.
import {listedValues, mapOf, textValue} from '../reading/yaml-file.ts'
import type {Hosts, ManifestObject} from './objects.ts'

const OTHERS = new Set('HTTPRoute GRPCRoute IngressRoute VirtualService Route'.split(' '))

/** Paths of other apps by the id of the app that answers the rest, one of `fronts`, and notes on routes that are not carried over. */
export function routesOf(
  objects: readonly ManifestObject[],
  names: Hosts,
  fronts: ReadonlySet<string>
): {readonly routes: ReadonlyMap<string, Readonly<Record<string, string>>>; readonly notes: readonly string[]} {
  const routes = new Map<string, Readonly<Record<string, string>>>()
  const notes = new Set<string>()
  for (const {values, file} of objects) {
    const [kind, {name, annotations}] = [textValue(values['kind']), mapOf(values['metadata'])]
    if (OTHERS.has(kind)) notes.add(`${file.shownAs}: ${kind} ${textValue(name)}: not carried over`)
    if (kind !== 'Ingress') continue
    const {defaultBackend, backend, rules = [{}]} = mapOf(values['spec'])
    const rest = serviceOf(defaultBackend ?? backend)
    for (const {host, http} of listedValues(rules).map(mapOf)) {
      const ways = listedValues(mapOf(http)['paths']).map(mapOf)
      const paths = new Map([
        ...(rest === '' ? [] : [['/', rest] as const]),
        ...ways.map(way => [textValue(way['path']).replace(/\/?\*?$/, '') || '/', serviceOf(way['backend'])] as const)
      ])
      const ids = Array.from(paths, ([path, service]) => [path, names.get(service)?.id ?? ''] as const)
      const {'/': front = '', ...others} = Object.fromEntries(ids)
      const isPlain = Object.entries(others).every(([path, id]) => /^\/[\w./-]+$/.test(path) && id !== '')
      if (isPlain && fronts.has(front) && !/rewrite/.test(JSON.stringify(annotations ?? '')))
        routes.set(front, {...routes.get(front), ...others})
      else {
        const text = Array.from(paths, ([path, service]) => `${path} → ${service}`).join(', ')
        notes.add(`${file.shownAs}: Ingress ${textValue(host) || textValue(name)}: ${text}: not carried over`)
      }
    }
  }
  return {routes, notes: [...notes]}
}

/** The service of a backend; `serviceName` is that of networking.k8s.io/v1beta1. */
function serviceOf(backend: unknown): string {
  const {service, serviceName} = mapOf(backend)
  return textValue(mapOf(service)['name']) || textValue(serviceName)
}
