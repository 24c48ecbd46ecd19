import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {kubernetesText} from '../write-files.ts'
import {KEYS, SETTING} from './every-key.ts'
import {changes, golden} from './golden.ts'
import {objectsIn, orders, withCommon} from './shop.ts'

/** Only `common` may have them, or only an app. */
const shared = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../schema/template.json'), 'utf8')) as {
  readonly properties: {readonly common: {readonly properties: object}}
  readonly definitions: {
    readonly app: {readonly properties: object}
    readonly kubernetes: {readonly properties: object}
  }
}
const COMMON = new Set(Object.keys(shared.properties.common.properties))

t.test('every key of a template, alone and merged from common, makes these objects', async t => {
  const textOf = async (yaml: string): Promise<string> => kubernetesText(await objectsIn(t, yaml, SETTING))
  const base = await textOf(orders())
  golden(t, 'base.yaml', base)
  const parts: string[] = []
  for (const [key, lines] of Object.entries(KEYS)) {
    const yaml = orders(...lines)
    const {warnings} = await objectsIn(t, yaml, SETTING)
    const text = await textOf(yaml)
    parts.push(
      [`## ${key}: ${lines.join(' · ')}\n`, changes(base, text), ...warnings.map(line => `! ${line}\n`)].join('')
    )
    const common = lines.filter(line => COMMON.has(line.split(':')[0] ?? ''))
    // paths of common start at the template, those of an app at its folder
    if (common.length === 0 || lines.some(line => /Path|envFile/.test(line))) continue
    t.equal(await textOf(withCommon(common, ...lines.filter(line => !common.includes(line)))), text, `${key} in common`)
  }
  golden(t, 'keys.txt', parts.join('\n'))
})

t.test('no key of the schema is left out', async t => {
  const {app, kubernetes} = shared.definitions
  const all = [
    ...Object.keys(app.properties).filter(name => !['id', 'dir'].includes(name)), // short names of others
    ...Object.keys(kubernetes.properties)
      .filter(name => name !== 'replicas')
      .map(name => `kubernetes.${name}`)
  ]
  t.strictSame(Object.keys(KEYS).toSorted(), all.toSorted())
})

t.test('paths in common start at the template', async t => {
  const own = ['configFilePath: ../config.yaml', 'resourcesPath: ../res', 'resourcesPaths: [../res]']
  const common = ['configFilePath: ./config.yaml', 'resourcesPath: ./res', 'resourcesPaths: [./res]']
  for (const [index, line] of common.entries())
    t.equal(
      kubernetesText(await objectsIn(t, withCommon([line]), SETTING)),
      kubernetesText(await objectsIn(t, orders(own[index] ?? ''), SETTING)),
      line
    )
})

t.test("kubernetes: an app's keys override those of common, annotations and labels are merged", async t => {
  const common = ['kubernetes: {replicas: 1, labels: {a: x, b: x}, annotations: {a: x}, serviceAccount: shop}']
  const own = 'kubernetes: {replicas: 2, labels: {b: y, c: y}}'
  const both = 'kubernetes: {replicas: 2, labels: {a: x, b: y, c: y}, annotations: {a: x}, serviceAccount: shop}'
  t.equal(kubernetesText(await objectsIn(t, withCommon(common, own))), kubernetesText(await objectsIn(t, orders(both))))
})
