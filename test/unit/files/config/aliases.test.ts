import t from 'tap'
import {failure, load, orders} from './shop.ts'

const AFTER = 'Error getting apps from config file: error in parsing the provided app config file: yaml: '

/** A map, and maps that merge the one before twice. */
const merged = (depth: number): string =>
  Array.from({length: depth}, (_, n) => `m${n + 1}: &m${n + 1} {<<: [*m${n}, *m${n}]}`).join('\n')

/** A list, and lists that hold the one before so many times. */
const listed = (depth: number, times: number): string =>
  Array.from({length: depth}, (_, n) => `l${n + 1}: &l${n + 1} [${Array(times).fill(`*l${n}`).join()}]`).join('\n')

t.test('aliases that multiply without end are refused at their place', async t => {
  const table: readonly (readonly [yaml: string, problem: string])[] = [
    [`m0: &m0 {A: 1}\n${merged(25)}\ncommon: {env: *m25}\napps: []`, 'document contains excessive aliasing'],
    [`m0: &m0 {A: 1}\n${merged(25)}\napps: [{<<: *m25}]`, 'document contains excessive aliasing'],
    [`m0: &m0 {A: 1}\n${merged(60)}\napps: [{<<: *m60}]`, 'document contains excessive aliasing'],
    [`l0: &l0 [a]\n${listed(19, 9)}\n${orders('watch: *l19')}`, 'document contains excessive aliasing'],
    [`l0: &l0 [a]\n${listed(25, 2)}\n${orders('watch: *l25')}`, 'document contains excessive aliasing'],
    ['common: &c {<<: *c}\napps: []', "anchor 'c' value contains itself"]
  ]
  for (const [yaml, problem] of table) {
    const {message, explanation} = failure(t, yaml.includes('version') ? yaml : `version: 1\n${yaml}`)
    t.equal(message, AFTER + problem)
    t.match(explanation, /^dapr\.yaml:\d+:\d+\n/)
  }
})

t.test('many aliases cost no more than what they stand for', async t => {
  const many = Array(20_000).fill('*a').join()
  const {plan} = load(t, `a: &a x\n${orders(`command: [${many}]`)}`)
  t.equal(plan.apps[0]?.command.length, 20_000)
})

t.test('an alias stands for the last node before it that has its anchor', async t => {
  const {plan} = load(t, `x: [&a first, &a second]\n${orders('command: [*a]', 'version: &a 1.0.0')}`)
  t.strictSame(plan.apps[0]?.command, ['second'])
})

t.test('so many mistakes are told that the text can be looked at for each', async t => {
  const lines = failure(t, `version: 1\napps:\n${'- 1\n'.repeat(900)}`).message.split('\n')
  t.equal(lines.filter(line => line.includes('cannot unmarshal')).length, 100)
  const unknown = Array.from({length: 10_000}, (_, n) => `key${n}: 1`)
  t.equal(load(t, orders(...unknown)).findings.length, 100)
})

t.test('a template of more apps than any machine runs is refused', async t => {
  const {message} = failure(t, `version: 1\napps:\n${'- {appDirPath: ./orders}\n'.repeat(1001)}`)
  t.equal(message, `${AFTER}more than 1000 apps`)
})

t.test('a size of a million digits is refused at once', async t => {
  const {message} = failure(t, orders(`maxBodySize: ${'1'.repeat(1_000_000)}x`))
  t.match(message, /invalid max request body size: quantities must match/)
})
