// Ways into a cluster: Ingresses by their rules, routes of other kinds by their names.
import {listedValues, mapOf, textValue, type Values} from '../reading/yaml-file.ts'
import type {ManifestObject} from './manifest-object.ts'

const OTHERS = new Set('HTTPRoute GRPCRoute IngressRoute VirtualService Route'.split(' '))

/** Notes on the routes of manifests: a run has no address for several apps. */
export const routeNotes = (objects: readonly ManifestObject[]): readonly string[] =>
  objects.flatMap(({values, file}) => {
    const [kind, name] = [textValue(values['kind']), textValue(mapOf(values['metadata'])['name'])]
    if (kind !== 'Ingress') return OTHERS.has(kind) ? [`${file.shownAs}: ${kind} ${name}: not carried over`] : []
    const {rules, defaultBackend, backend} = mapOf(values['spec'])
    const other = backendOf(mapOf(defaultBackend ?? backend))
    const ways = [
      ...(other === '' ? [] : [`${name}: other paths → ${other}`]),
      ...listedValues(rules).map(mapOf).map(ruleText(name))
    ]
    return [...new Set(ways)].map(way => `${file.shownAs}: Ingress ${way}: not carried over`)
  })

const ruleText =
  (name: string) =>
  ({host, http}: Values): string =>
    `${textValue(host) || name}: ${listedValues(mapOf(http)['paths'])
      .map(mapOf)
      .map(({path, backend}) => `${textValue(path) || '/'} → ${backendOf(mapOf(backend))}`)
      .join(', ')}`

/** `serviceName` is that of networking.k8s.io/v1beta1. */
const backendOf = ({service, serviceName}: Values): string =>
  textValue(mapOf(service)['name']) || textValue(serviceName)
