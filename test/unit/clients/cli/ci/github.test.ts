import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {addSummary, annotations, withoutCommands} from '../../../../../src/clients/cli/ci/github.ts'
import {app, failed, outcome} from './outcomes.ts'

t.test('an annotation stands at the line of the app; percents, commas, colons and line ends are escaped', async t => {
  const place = {file: 'a,b:100%.yaml', line: 3, column: 1, source: ''}
  const text = annotations(
    outcome({apps: [app(), {...failed(['100%\r', '::error::x', 'a,b:c']), place, name: 'stock.2'}]}),
    {}
  )
  t.equal(
    text,
    '::error file=a%2Cb%3A100%25.yaml,line=3,title=stock.2::no database%0AIts last lines:%0A  100%25%0A  ::error::x%0A  a,b:c\n'
  )
})

/** The path in an annotation. */
const at = (top: string): string | undefined =>
  /file=([^,]*)/.exec(annotations(outcome({apps: [failed([])]}), {GITHUB_WORKSPACE: top}))?.[1]

t.test('a path is that in the repository, where it lies there', async t => {
  t.equal(at(join(process.cwd(), '..')), join(process.cwd(), 'dapr.yaml').split('/').slice(-2).join('/'))
  t.equal(at('/somewhere/else'), 'dapr.yaml')
  t.equal(at(''), 'dapr.yaml')
})

t.test('a step that failed is an annotation, too; one without failures has none', async t => {
  const checks = [{name: 'the command', tookMs: 1, failure: 'npm test: exited with code 1'}]
  t.equal(annotations(outcome({checks}), {}), '::error title=dapr.yaml::npm test: exited with code 1\n')
  t.equal(annotations(outcome(), {}), '')
})

t.test('commands in the output of apps are stopped by a word that no app knows', async t => {
  const [first, second] = [withoutCommands('::set-env name=x::y\n'), withoutCommands('::error::x')]
  t.match(first, /^::stop-commands::([\da-f]{32})\n::set-env name=x::y\n::\1::\n$/)
  t.match(second, /^::stop-commands::([\da-f]{32})\n::error::x\n::\1::\n$/)
  t.not(first.slice(0, 50), second.slice(0, 50))
  t.equal(withoutCommands(''), '')
})

t.test('the summary is a table in which text is text', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'summary-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const file = join(folder, 'summary.md')
  const apps = [app(), failed([], 'a | b\n<img src=x> `code` [link](x) \x1b[31mred')]
  t.equal(addSummary(outcome({apps}), {GITHUB_STEP_SUMMARY: file}), '')
  t.equal(addSummary(outcome({apps: []}), {GITHUB_STEP_SUMMARY: file}), '', 'what others have written stays')
  const text = readFileSync(file, 'utf8')
  t.match(text, '### ❌ dapr.yaml: npm test\n')
  t.match(text, '| ✅ | stock | ready |\n')
  t.match(text, String.raw`| ❌ | stock | a \| b &#60;img src=x&#62; \`code\` \[link\](x) red |`)
  t.equal(text.split('### ').length, 3)
  t.match(addSummary(outcome(), {GITHUB_STEP_SUMMARY: join(folder, 'none/x')}), /ENOENT/)
  t.equal(addSummary(outcome(), {}), '')
})
