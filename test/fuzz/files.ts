import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Random} from './random.ts'
import {mutated} from './mutated.ts'

/** Texts of files by their paths. */
export type Files = Readonly<Record<string, string>>

const EVERY_KEY = join(import.meta.dirname, '../fixtures/templates/every-key')
const read = (path: string): string => readFileSync(join(EVERY_KEY, path), 'utf8')

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: {name: web, namespace: default}
scopes: [first]
spec:
  baseUrl: http://127.0.0.1:1
  headers: [{name: X-A, value: b}, {name: X-B, envRef: HOME}, {name: X-C, secretKeyRef: {name: s, key: k}}]
  clientTLS: {rootCA: {value: x}, certificate: {value: y}, privateKey: {value: z}}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store}
spec: {type: state.in-memory, version: v1, metadata: [{name: a, value: "b"}]}
`
const CONFIGURATION = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec:
  tracing: {samplingRate: "0"}
  accessControl: {defaultAction: deny, policies: [{appId: a}]}
  mtls: {enabled: true}
  httpPipeline: {handlers: [{name: x}]}
  api: {allowed: [{name: state}]}
`
const ENVIRONMENT = 'A=1\nexport B="two\\n"\nC=\'three\'\n# no\nD=${A}x$B\nE = 5\n'

/** A whole project that is right. */
const RIGHT: Files = {
  'dapr.yaml': read('dapr.yaml'),
  'app/config.yaml': CONFIGURATION,
  'app/first.env': ENVIRONMENT,
  'app/res/a.yaml': RESOURCES,
  'more/b.yaml': RESOURCES
}

/** What YAML and the readers of values look for, and what confuses them. */
const WORDS = [
  '- ',
  ': ',
  '? ',
  '\n',
  '\n  ',
  '\t',
  '{',
  '}',
  '[',
  ']',
  ',',
  '#',
  '|\n',
  '>-\n',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: *a',
  '<<: [*a, *a]',
  '!!binary ',
  '!!int ',
  '!!map ',
  '! ',
  '!<tag:x> ',
  '%YAML 1.2\n---\n',
  '---\n',
  '...\n',
  '\0',
  '\x1b[2J',
  '\u2028',
  '\uFEFF',
  '\ud800',
  '~',
  'null',
  'yes',
  '0x1G',
  '1_000',
  '1e999',
  '.inf',
  '.nan',
  '-0',
  '99999999999999999999',
  '2024-01-01',
  '1:30:00',
  '10s',
  '99999h',
  '-5s',
  '1Gi',
  '__proto__: ',
  'constructor: ',
  'toString: ',
  '${HOME}',
  '$',
  '../../..',
  '/dev/null',
  '/',
  '.',
  '',
  'a/'.repeat(2000),
  '['.repeat(3000),
  '{a: '.repeat(500),
  '- '.repeat(500)
]
const VALUES = [
  '',
  '~',
  '[]',
  '{}',
  '[[]]',
  '{a: {b: c}}',
  '-1',
  '0',
  '65536',
  '1.5',
  '"x"',
  "''",
  'true',
  '1e3',
  '0o17',
  '.nan',
  '99999999999999999999',
  '*a',
  '&a x',
  '!!str 1',
  '|\n',
  '"\\x00"',
  '"\\ud800"',
  '[~]',
  '{~: ~}',
  '{[a]: b}',
  '10s',
  '5000h',
  '{http: /, timeout: -1}',
  '{log: "("}',
  '{log: "[a-"}',
  '{signal: NOPE}',
  '{first: ended, second: started}',
  '../nowhere',
  './app',
  'é',
  'a'.repeat(10_000)
]

/** Puts another value, key or depth in the place of one of a line. */
function rewritten(random: Random, text: string): string {
  const lines = text.split('\n')
  const at = random.below(lines.length)
  const line = lines[at] ?? ''
  const other = random.pick(lines)
  const changes = [
    line.replace(/: .*$/, () => `: ${random.pick(VALUES)}`),
    line.replace(/[\w-]+:/, () => `${random.pick(['x', 'apps', 'common', 'appID', '<<', '__proto__', '? [a]'])}:`),
    ' '.repeat(random.below(9)) + line.trimStart(),
    `${line}\n${line}`,
    `${line}\n${other}`,
    '',
    line.slice(0, random.below(line.length + 1))
  ]
  lines[at] = random.pick(changes)
  return lines.join('\n')
}

/** The project with some of its files mutated. */
export function mutatedFiles(random: Random): Files {
  const files: Record<string, string> = {...RIGHT}
  for (let count = 1 + random.below(2); count > 0; count--) {
    const path = random.oneIn(2) ? 'dapr.yaml' : random.pick(Object.keys(files))
    let text = files[path] ?? ''
    for (let changes = 1 + random.below(3); changes > 0; changes--)
      text = random.oneIn(3)
        ? mutated(
            random,
            Buffer.from(text),
            WORDS.map(word => Buffer.from(word).toString('latin1'))
          ).toString()
        : rewritten(random, text)
    files[path] = text
  }
  return files
}
