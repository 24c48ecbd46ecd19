import {resolve} from 'node:path'
import {messageOf} from '../../../model/errors.ts'
import {readTextFile} from '../../../model/read-file.ts'
import type {Credentials} from '../../../proxy/net/web/web-agent.ts'
import {bindingOf, BindingFailure, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import type {OpenComponent, OpenOptions} from '../component.ts'
import type {Properties} from '../properties.ts'
import {WebTarget} from './http/web-target.ts'
import {ownOf} from '../../../model/own.ts'

const OPERATIONS = ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace']
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])
const MAX_RESPONSE_BYTES = 100 * 2 ** 20
const JSON_TYPE = 'application/json; charset=utf-8'

/** Metadata that become headers although their names are in lower case. */
const TRACE = ['traceparent', 'tracestate', 'baggage']

/** `bindings.http`: requests to a URL (components-contrib: bindings/http). */
export const open: OpenComponent<Binding> = async options => {
  const {properties, env} = options
  const failsIfNot2xx = properties.boolean('errorIfNot2XX', true)
  const target = new WebTarget({
    url: urlOf(properties),
    shown: text => properties.shown('url', text),
    credentials: credentialsOf(options),
    env,
    timeoutMs: properties.durationMs('responseTimeout', 0, 1000),
    maxBytes: bytesOf(properties),
    secretHeaders: properties.has('securityTokenHeader') ? [properties.text('securityTokenHeader').toLowerCase()] : []
  })
  const token = tokenOf(properties)
  const invoke = async (
    {operation, data, metadata}: BindingRequest,
    signal?: AbortSignal
  ): Promise<BindingResponse> => {
    const method = operation === 'create' ? 'POST' : operation.toUpperCase()
    const body = WITH_BODY.has(method) ? data : undefined
    const headers = headersOf(metadata, {token, hasBody: body !== undefined})
    const response = await target.send({method, path: metadata['path'] ?? '', headers, body, signal})
    const asked = metadata['errorIfNot2XX'] ?? ''
    const fails = asked === '' ? failsIfNot2xx : /^(?:y|yes|true|t|on|1)$/i.test(asked)
    if (fails && (response.status < 200 || response.status > 299))
      throw new BindingFailure(`received status code ${response.status}`, response.metadata)
    return response
  }
  return bindingOf(options, {output: {operations: OPERATIONS, invoke}, close: () => Promise.resolve(target.close())})
}

function urlOf(properties: Properties): string {
  const text = properties.text('url')
  if (text === '') return properties.fault('url', 'url is missing')
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    return properties.fault('url', `url must begin with http:// or https://, and not "${text}"`)
  return text
}

const tokenOf = (properties: Properties): readonly [name: string, value: string][] => {
  const [name, value] = [properties.text('securityTokenHeader'), properties.text('securityToken')]
  return name === '' || value === '' ? [] : [[name, value]]
}

/** Matches headers that the client computes itself, as Go's does (net/http, reqWriteExcludeHeader). */
const OF_BODY = /^(?:content-length|trailer|transfer-encoding)$/i

/** Returns the headers of a request. Of equal names the last counts. */
function headersOf(
  metadata: BindingRequest['metadata'],
  {token, hasBody}: {readonly token: readonly [string, string][]; readonly hasBody: boolean}
): ReadonlyMap<string, string> {
  const given = Object.entries(metadata)
  const all = [
    ...(hasBody ? [['Content-Type', JSON_TYPE] as const] : []),
    ['Accept', JSON_TYPE] as const,
    ...token,
    ...given.filter(([name]) => /^[A-Z]/.test(name) && !OF_BODY.test(name)),
    ...given.filter(([name, value]) => TRACE.includes(name) && value !== '')
  ]
  const names = new Map(all.map(([name]) => [name.toLowerCase(), name]))
  const values = new Map(all.map(([name, value]) => [name.toLowerCase(), value]))
  return new Map([...names].map(([key, name]) => [name, values.get(key) ?? '']))
}

function credentialsOf({properties, folder}: OpenOptions): Credentials {
  const [ca = '', cert = '', key = ''] = ['MTLSRootCA', 'MTLSClientCert', 'MTLSClientKey'].map(name =>
    pemOf(properties, name, folder)
  )
  return cert === '' || key === '' ? {ca, cert: '', key: ''} : {ca, cert, key}
}

/** Returns a property with a PEM text, or the text of the file that it names. */
function pemOf(properties: Properties, name: string, folder: string): string {
  const text = properties.text(name)
  if (text === '' || text.includes('-----BEGIN ')) return text
  try {
    return readTextFile(resolve(folder, text))
  } catch (error) {
    return properties.fault(
      name,
      `provided "${name}" value is neither a valid file path or nor a valid pem encoded string: ${messageOf(error)}`
    )
  }
}

const UNITS: Readonly<Record<string, number>> = {'': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30}

/** Reads `maxResponseBodySize` in bytes, or as a quantity such as `10Mi` (Kubernetes: resource.Quantity); 0: no limit. */
function bytesOf(properties: Properties): number {
  const text = properties.text('maxResponseBodySize')
  if (text === '') return MAX_RESPONSE_BYTES
  const [, number = '', unit = ''] = /^([-+]?\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? []
  const factor = ownOf(UNITS, unit)
  if (number === '' || factor === undefined)
    return properties.fault(
      'maxResponseBodySize',
      `invalid value for maxResponseBodySize: "${text}" is no size such as 10Mi`
    )
  return Math.max(0, Math.ceil(Number(number) * factor))
}
