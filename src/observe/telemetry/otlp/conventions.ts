import type {Attributes} from './received.ts'

/** Attributes by their current and their older names (OpenTelemetry's semantic conventions): SDKs send either. */
const NAMES = {
  method: ['http.request.method', 'http.method'],
  url: ['url.full', 'http.url'],
  path: ['url.path', 'http.target'],
  query: ['url.query'],
  status: ['http.response.status_code', 'http.status_code'],
  statement: ['db.query.text', 'db.statement'],
  database: ['db.system.name', 'db.system'],
  operation: ['db.operation.name', 'db.operation'],
  rpc: ['rpc.service'],
  rpcMethod: ['rpc.method'],
  messaging: ['messaging.system'],
  destination: ['messaging.destination.name', 'messaging.destination'],
  model: ['gen_ai.request.model', 'gen_ai.response.model'],
  task: ['gen_ai.operation.name']
} as const satisfies Record<string, readonly string[]>

/** Returns the value of an attribute under any of its names; may be empty. */
export function attributeText(what: keyof typeof NAMES, attributes: Attributes): string {
  for (const name of NAMES[what]) {
    const [, value = ''] = attributes.find(([each]) => each === name) ?? []
    if (value !== '') return value
  }
  return ''
}

/** Summarizes a span in one line: the statement, the request, the message; '': its name is enough. */
export function summaryOf(attributes: Attributes): string {
  const of = (what: keyof typeof NAMES): string => attributeText(what, attributes)
  const statement = of('statement')
  if (statement !== '') return statement.replaceAll(/\s+/g, ' ').trim()
  if (of('database') !== '') return [of('database'), of('operation')].filter(word => word !== '').join(' ')
  if (of('rpc') !== '') return `${of('rpc')}/${of('rpcMethod')}`
  if (of('messaging') !== '') return [of('messaging'), of('destination')].filter(word => word !== '').join(' ')
  if (of('task') !== '' || of('model') !== '') return [of('task'), of('model')].filter(word => word !== '').join(' ')
  if (of('method') === '') return of('url')
  const query = of('query').replace(/^\??(?=.)/s, '?')
  return `${of('method')} ${of('url') || `${of('path')}${query}`} ${of('status')}`.trim()
}
