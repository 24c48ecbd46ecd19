import type * as Api from '../../../../../src/model/api.generated.ts'
import t from 'tap'
import {mermaidText} from '../../../../../src/observe/api/graph-drawings.ts'
import {durationText} from '../../../../../src/model/duration.ts'
import {graphTable} from '../../../../../src/clients/cli/commands/graph.ts'

const edge = (from: string, to: string, isDeclared?: boolean): Api.Graph['edges'][number] => ({
  from,
  to,
  calls: 1,
  failed: 0,
  waited: 0,
  requestBytes: 0,
  responseBytes: 0,
  p50Ms: 1,
  p95Ms: 2,
  p99Ms: 3,
  recent: {seconds: 60, calls: 0, failed: 0, p95Ms: 0},
  ...(isDeclared === undefined ? {} : {isDeclared})
})

const ODD = [
  'a"]; click x "javascript:alert(1)',
  'b\\N\\"',
  '<img src=x>\n&amp;',
  'x --> y',
  '`**z**`',
  '1. #quot;',
  'Zoë €',
  'end'
]

t.test('names with any character are text in Mermaid', async t => {
  const graph: Api.Graph = {
    apps: ODD,
    asleep: [],
    edges: ODD.map(id => edge(id, ODD[0] ?? '')),
    uncalled: [],
    awaited: []
  }
  const mermaid = mermaidText(graph, durationText)
  const lines = mermaid.trimEnd().split('\n')
  t.equal(lines.length, 1 + 2 * ODD.length)
  for (const line of lines.slice(1, 1 + ODD.length)) t.match(line, /^ {2}n\d\["(?:[\p{L}\p{N} ._/:-]|#\d+;)*"\]$/u)
  const decoded = lines
    .slice(1, 1 + ODD.length)
    .map(line => line.slice(6, -2).replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))))
  t.same(decoded, ODD)
})

t.test('apps that sleep are marked', async t => {
  const graph: Api.Graph = {apps: ['a', 'b'], asleep: ['b'], edges: [edge('a', 'b')], uncalled: [], awaited: []}
  t.match(graphTable(graph, Infinity), /\n\n◌ asleep: b\n$/)
  t.notMatch(graphTable({...graph, asleep: []}, Infinity), 'asleep')
  t.match(mermaidText(graph, durationText), /n0\["a"\]\n {2}n1\["b #9676; asleep"\]/)
})

t.test('percentiles have no more than two digits', async t => {
  const graph: Api.Graph = {
    apps: [],
    asleep: [],
    edges: [{...edge('a', 'b'), p50Ms: 2300, p95Ms: 60_400}],
    uncalled: [],
    awaited: []
  }
  t.match(graphTable(graph, Infinity), / 2\.3 s +60 s\n/)
})

t.test('what differs from dependsOn is said once for each caller', async t => {
  const graph: Api.Graph = {
    apps: [],
    asleep: [],
    edges: [edge('a', 'b', false), edge('a', 'c', false), edge('b', 'c', false), edge('c', 'd'), edge('c', 'a', true)],
    uncalled: [{from: 'd', to: 'a'}],
    awaited: []
  }
  t.match(
    graphTable(graph, Infinity),
    '\n\na calls b and c: not in its dependsOn\nb calls c: not in its dependsOn\nd names a under dependsOn, and has not called it\n'
  )
  const three = {...graph, edges: [edge('a', 'b', false), edge('a', 'c', false), edge('a', 'd', false)], awaited: []}
  t.match(graphTable(three, 60), '\na calls b, c and d: not in its dependsOn\n')
})
