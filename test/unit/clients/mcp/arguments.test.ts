import t from 'tap'
import type {RouteChoice, Row} from '../../../../src/clients/mcp/tool.ts'
import {ROWS} from '../../../../src/clients/mcp/tools.generated.js'
import {TOOLS} from '../../../../src/clients/mcp/tools/tools.ts'
import {ApiClient} from '../../../../src/control/api-client.ts'
import type {FoundRun} from '../../../../src/control/client.ts'
import {API, misfitAt} from '../../../rig/api-schema.ts'

/** Arguments that no request has as they are given. */
const OF_THE_TOOL: Readonly<Record<string, readonly string[]>> = {
  trace: ['lines', 'bodies'],
  app_logs: ['lines', 'lastRun'], // with a text, `lines` of the latest 10,000 are searched
  why: ['lastRun'],
  fault: ['off', 'disable', 'enable'], // of other routes
  replay: ['lastFailed', 'pinned'], // in place of `calls`
  replay_workflow: ['turn'] // counts from 1
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** A value by which an argument is found in a request. */
function sample({properties}: Row, name: string): unknown {
  const {type, enum: words, items} = properties[name] ?? {}
  const text = words?.[0] ?? (name === 'from' ? 'now' : `value-of-${name}`)
  if (type === 'integer' || type === 'number') return 7
  if (type === 'boolean') return true
  if (type === 'array') return [items?.type === 'integer' ? 7 : text]
  return type === 'object' ? {key: text} : text
}

/** What a tool is given for one of its routes: all that this takes; once for each word of `action`. */
function givenFor(row: Row, {routes, takes}: RouteChoice): readonly Readonly<Record<string, unknown>>[] {
  const isAction = routes[0]?.includes('{action}') === true || row.name === 'change_reminder'
  const names = Object.keys(row.properties).filter(name => {
    const [key = ''] = (row.names[name] ?? name).split('.')
    if (name === 'cursor' || name === 'action' || OF_THE_TOOL[row.name]?.includes(name) === true) return false
    return row.name === 'fault' || row.name === 'replay' || takes.includes(key)
  })
  const given = Object.fromEntries(names.map(name => [name, sample(row, name)]))
  const words = isAction || row.name === 'change_job' ? row.properties['action']?.enum : undefined
  return words === undefined ? [given] : words.map(action => ({...given, action}))
}

async function sentBy(row: Row, given: Readonly<Record<string, unknown>>): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const api = new ApiClient(async ({method, path, body}) => {
    sent.push({method, path: path.replace('/api/v1', ''), body: body.toString()})
    return Promise.reject(new Error('no answer'))
  })
  const run = {api, listing: {startedAt: new Date(0).toISOString()}} as unknown as FoundRun
  const tool = TOOLS.find(({name}) => name === row.name)
  await tool?.run?.(run, given, new AbortController().signal).catch(() => undefined)
  return sent
}

/** What is wrong with a request by the description of the API; '' if nothing is. */
function misfitOfRequest({method, path, body}: Sent): string {
  const [folder = '', query = ''] = path.split('?')
  const template = Object.keys(API.paths).find(each =>
    new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(folder)
  )
  if (template === undefined) return `there is no ${path}`
  const at = `/paths/${template.replaceAll('/', '~1')}/${method.toLowerCase()}`
  const operation = API.paths[template]?.[method.toLowerCase()] as {readonly parameters?: unknown}
  const known = JSON.stringify([API.paths[template]?.['parameters'], operation.parameters, API.components.parameters])
  const unknown = [...new URLSearchParams(query).keys()].find(name => !known.includes(`"name":"${name}"`))
  if (unknown !== undefined) return `${path} takes no ${unknown}`
  return body === '' ? '' : misfitAt(`${at}/requestBody/content/application~1json/schema`, JSON.parse(body))
}

for (const row of ROWS.filter(({choices}) => choices.length > 0))
  t.test(`what ${row.name} sends is what its routes take, and has each of its arguments`, async t => {
    const missing = new Set(Object.keys(row.properties))
    for (const name of ['cursor', ...(OF_THE_TOOL[row.name] ?? [])]) missing.delete(name)
    for (const given of row.choices.flatMap(choice => givenFor(row, choice)))
      for (const request of await sentBy(row, given)) {
        t.equal(misfitOfRequest(request), '', JSON.stringify(request))
        const all = decodeURIComponent(`${request.path} ${request.body}`)
        for (const [name, value] of Object.entries(given)) {
          const text = JSON.stringify(value).replaceAll(/^\{.*:|^\[|["\]}]/g, '')
          if (all.includes(text) || (name === 'action' && all.includes(text.replace('purge', 'ids'))))
            missing.delete(name)
        }
      }
    t.same([...missing], [])
  })
