import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {pages} from '../../scripts/docs.js'
import {TYPES} from '../../src/observe/api/events/event.ts'
import {API, misfit} from '../rig/api-schema.ts'

t.test('each type of event has an example of a real run, which is as it is described', async t => {
  const examples = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/events.json'), 'utf8')) as Readonly<
    Record<string, {readonly type: string}>
  >
  const {components} = API as unknown as {
    components: {schemas: {Event: {oneOf: {properties: {type: {const: string}}}[]}}}
  }
  const types = components.schemas.Event.oneOf.map(({properties}) => properties.type.const)
  t.strictSame(Object.keys(examples).toSorted(), types.toSorted())
  for (const type of TYPES) t.ok(types.includes(type), type)
  for (const [type, example] of Object.entries(examples)) {
    t.equal(example.type, type)
    t.equal(misfit('Event', example), '', type)
  }
})

t.test('the pages of commands and keys say what the definitions say; else: npm run docs', async t => {
  for (const [name, text] of Object.entries(pages()))
    t.equal(readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8'), text, name)
})
