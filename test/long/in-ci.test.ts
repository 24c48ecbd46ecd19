import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {Client} from '@modelcontextprotocol/client'
import {StdioClientTransport} from '@modelcontextprotocol/client/stdio'
import t from 'tap'
import {parse} from 'yaml'
import {copyExample} from '../rig/example.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The blocks of a page in one language. */
const blocks = (page: string, language: string): readonly string[] =>
  [...readFileSync(join(ROOT, 'docs', page), 'utf8').matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text)

interface Workflow {
  readonly jobs: {readonly test: {readonly steps: readonly {readonly run?: string}[]}}
}

/** Installs what is here already. */
const INSTALL = 'npm install --global ./pillion-0.1.0.tgz'

const [github = '', gitlab = ''] = blocks('in-ci.md', 'yaml')
const githubSteps = (parse(github) as Workflow).jobs.test.steps.flatMap(({run}) => run ?? [])
const {test: job} = parse(gitlab) as {test: {before_script: readonly string[]; script: readonly string[]}}
const gitlabSteps = [...job.before_script, ...job.script]
const [whole = '', script = ''] = blocks('in-ci.md', 'sh')

interface Outcome {
  readonly code: number | null
  readonly text: string
}

/** Runs the steps of a job as a runner does: each in a shell of its own, until one fails. */
async function runSteps(
  rig: Rig,
  steps: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Outcome> {
  const words = rig.program.map(word => `'${word}'`).join(' ')
  let text = ''
  for (const step of steps.filter(each => each !== INSTALL)) {
    const program = rig.start(['sh', '-ec', `pillion() { ${words} "$@"; }\n${step}`], {folder: 'ci', env})
    program.stdin.end()
    const {code} = await program.exited
    text += program.stdout.text + program.stderr.text
    if (code !== 0) return {code, text}
  }
  return {code: 0, text}
}

async function example(t: Parameters<typeof openRig>[0]): Promise<Rig> {
  const rig = await openRig(t)
  await copyExample(rig, 'ci')
  return rig
}

/** The app dies while it answers a request. */
async function broken(rig: Rig): Promise<void> {
  const path = 'ci/stock/stock.mjs'
  const text = readFileSync(join(rig.folder, path), 'utf8')
  await rig.write({
    [path]: text.replace(
      /^.*const item = .*$/m,
      line => `${line}\n    if (item === 'pear') throw new Error('no pears')`
    )
  })
}

t.test('the files of the example are those of the page, and install what they use', async t => {
  t.equal(readFileSync(join(ROOT, 'examples/ci/.github/workflows/test.yml'), 'utf8'), github)
  t.equal(readFileSync(join(ROOT, 'examples/ci/.gitlab-ci.yml'), 'utf8'), gitlab)
  t.ok(githubSteps.includes(INSTALL))
  t.ok(gitlabSteps.includes(INSTALL))
})

t.test('on GitHub the job passes; with a broken app it fails, with an annotation, the death, its request', async t => {
  const rig = await example(t)
  const env = {CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: join(rig.folder, 'ci')}
  const good = await runSteps(rig, githubSteps, env)
  t.equal(good.code, 0, good.text)
  t.notMatch(good.text, '::error')
  await broken(rig)
  const bad = await runSteps(rig, githubSteps, env)
  t.equal(bad.code, 1)
  const line = readFileSync(join(rig.folder, 'ci/dapr.yaml'), 'utf8').split('\n').indexOf('  - appID: stock') + 1
  t.match(
    bad.text,
    new RegExp(
      `\\n::error file=dapr\\.yaml,line=${line},title=stock::"stock" exited with code 1 after [^\\n]* while handling GET /items/pear from shop [^\\n]*%0AIts last lines:[^\\n]*no pears`
    )
  )
  const deaths = readFileSync(join(rig.folder, 'ci/report/deaths.md'), 'utf8')
  t.match(deaths, /^## 1\. stock\n\n"stock" exited with code 1 after [^]*GET \/items\/pear/m)
})

t.test('on GitLab the job passes and leaves a JUnit report, which names the app that broke', async t => {
  const rig = await example(t)
  const good = await runSteps(rig, gitlabSteps, {CI: 'true', GITLAB_CI: 'true'})
  t.equal(good.code, 0, good.text)
  const report = (): string => readFileSync(join(rig.folder, 'ci/report/junit.xml'), 'utf8')
  t.match(report(), 'failures="0"')
  await broken(rig)
  t.match(await runSteps(rig, gitlabSteps, {CI: 'true', GITLAB_CI: 'true'}), {code: 1})
  t.match(
    report(),
    /name="stock" time="0\.000">\n +<failure message="&quot;stock&quot; exited with code 1 after [^"]*GET \/items\/pear from shop [^"]*"/
  )
})

t.test('the commands for a shell', async t => {
  const rig = await example(t)
  for (const block of [whole, script]) {
    const {code, text} = await runSteps(rig, [block])
    t.equal(code, 0, text)
    t.match(text, 'The apps are ready after')
  }
  await broken(rig)
  t.match(await runSteps(rig, [script]), {code: 1})
})

t.test('the configurations for coding agents start a server that speaks', async t => {
  const rig = await example(t)
  const configured = blocks('coding-agents.md', 'json').map(text => {
    const {mcpServers, servers} = JSON.parse(text) as Record<
      'mcpServers' | 'servers',
      {pillion: {command: string; args: string[]}} | undefined
    >
    return mcpServers?.pillion ?? servers?.pillion ?? {command: '', args: []}
  })
  t.equal(configured.length, 2)
  const [command = '', ...words] = rig.program
  const env = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: rig.home,
    PILLION_RUNTIME_DIR: rig.runtimeDir,
    PILLION_NAMES: '0'
  }
  for (const {command: name, args} of [...configured, {command: 'pillion', args: ['mcp', '--read-only']}]) {
    t.equal(name, 'pillion')
    const client = new Client({name: 'test', version: '1'})
    await client.connect(
      new StdioClientTransport({command, args: [...words, ...args], env, cwd: join(rig.folder, 'ci')})
    )
    const {tools} = await client.listTools()
    t.ok(tools.some(tool => tool.name === 'why'))
    await client.close()
  }
})
