import {existsSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {parse} from 'yaml'
import {type Block, blocksOf, commandsIn, PAGES} from '../rig/page.ts'

const TEST = join(import.meta.dirname, '..')

/** Blocks that are neither commands nor templates: page, how they begin, and the test that holds them, or why none can. */
const HELD: readonly (readonly [page: string, begins: string, by: string])[] = [
  ['README.md', 'npm ci && npm start', 'the example: e2e/examples.test.ts; the other line runs this test'],
  ['README.md', 'npm ci && npm run binary', 'builds 128 MB: CI builds it, and runs the end-to-end tests against it'],
  ['docs/from-a-procfile.md', 'web: node', 'docs/paths.test.ts'],
  ['docs/from-compose.md', '# compose.yaml', 'docs/paths.test.ts'],
  ['docs/for-a-team.md', 'pillion up --watch', 'sdks/market.test.ts'],
  ['docs/coming-from-dapr.md', '$ pillion run', 'docs/docs-output.test.ts'],
  ['docs/coming-from-dapr.md', 'curl localhost:$DAPR_HTTP_PORT', 'docs/docs-output.test.ts'],
  ['docs/coming-from-dapr.md', '# resources/store.yaml', 'docs/paths.test.ts'],
  ['docs/two-minutes.md', '// stock/app.js', 'e2e/two-minutes.test.ts'],
  ['docs/two-minutes.md', '// shop/app.js', 'e2e/two-minutes.test.ts'],
  ['docs/building-blocks.md', '$ redis-cli', 'docs/docs-output.test.ts'],
  ['docs/building-blocks.md', 'cd examples/shop', 'docs/examples-more.test.ts'],
  ['docs/building-blocks.md', 'auth:', 'unit/dapr/components/state-encryption.test.ts has such components'],
  ['docs/building-blocks.md', 'spec:', 'docs/docs-output.test.ts'],
  ['docs/coding-agents.md', '{\n  "mcpServers"', 'long/in-ci.test.ts'],
  ['docs/coding-agents.md', '{\n  "servers"', 'long/in-ci.test.ts'],
  ['docs/coming-from-dapr.md', 'alias dapr=pillion', 'docs/docs-output.test.ts'],
  ['docs/conversation.md', 'apiVersion:', 'sdks/conversation.test.ts has one'],
  ['docs/conversation.md', 'version: 1', 'long/conversation.test.ts has both'],
  ['docs/conversation.md', 'curl', 'sdks/conversation.test.ts asks so'],
  ['docs/cryptography.md', 'apiVersion:', 'integration/dapr/sidecar/cryptography.test.ts opens one'],
  ['docs/cryptography.md', 'openssl', 'integration/dapr/sidecar/cryptography.test.ts has both calls'],
  ['docs/daily.md', '{"scripts"', 'docs/docs-output.test.ts'],
  ['docs/faults.md', 'FAULT', 'docs/docs-output.test.ts'],
  ['docs/front-ends.md', '// vite.config.js', 'sdks/tools.test.ts'],
  ['docs/names.md', '$ pillion name web', 'e2e/names.test.ts'],
  ['docs/side-by-side.md', '~/shop/main $ pillion up', 'long/copies.test.ts'],
  ['docs/side-by-side.md', '⚠  this copy has a Redis', 'long/copies-data.test.ts'],
  ['docs/side-by-side.md', '⚠  store (state.redis', 'servers/copies-share.test.ts'],
  ['docs/grpc.md', 'channel = grpc', 'a part of a program: test/fixtures/sdks has whole ones, sdks/grpc-sdks.test.ts'],
  ['docs/grpc.md', 'conn, err :=', 'a part of a program: test/fixtures/sdks has whole ones, sdks/grpc-sdks.test.ts'],
  ['docs/grpc.md', 'const client =', 'a part of a program: test/fixtures/sdks has whole ones, sdks/grpc-sdks.test.ts'],
  ['docs/in-ci.md', 'name: test', 'long/in-ci.test.ts'],
  ['docs/in-ci.md', 'test:', 'long/in-ci.test.ts'],
  ['docs/in-ci.md', 'set -e', 'long/in-ci.test.ts'],
  ['docs/jobs.md', 'curl', 'e2e/jobs.test.ts'],
  ['docs/languages.md', '// app.ts', 'docs/languages.test.ts'],
  ['docs/languages.md', '// Main.java', 'docs/languages.test.ts'],
  ['docs/languages.md', '<dependency>', 'java/sdk.test.ts'],
  ['docs/messages.md', '{"time"', 'docs/docs-output.test.ts'],
  ['docs/messages.md', '{"file"', 'docs/docs-output.test.ts'],
  ['docs/past-one-machine.md', 'kind create cluster', 'kubernetes/page.test.ts'],
  ['docs/recorder.md', 'CALL  TIME', 'docs/docs-output.test.ts'],
  ['docs/recorder.md', 'CALL  FROM', 'long/trace.test.ts'],
  ['docs/spans.md', 'CALL  FROM → TO                      REQUEST                        STATUS', 'sdks/otel.test.ts'],
  ['docs/spans.md', 'CALL  FROM → TO       REQUEST                              STATUS', 'sdks/otel.test.ts'],
  [
    'docs/spans.md',
    'CALL  FROM → TO       REQUEST                                             STATUS',
    'sdks/otel.test.ts'
  ],
  [
    'docs/spans.md',
    'CALL  FROM → TO       REQUEST                                                  STATUS',
    'java/otel.test.ts'
  ],
  ['docs/coding-agents.md', 'git worktree add ../cart-fix', 'servers/worktrees.test.ts does the same'],
  ['examples/worktrees/README.md', 'pillion up', 'servers/worktrees.test.ts'],
  ['docs/recorder.md', 'curl --unix-socket', 'docs/docs-output.test.ts'],
  ['docs/recorder.md', 'FROM', 'docs/docs-output.test.ts'],
  ['docs/replay.md', 'call 48190', 'docs/docs-output.test.ts'],
  ['docs/replay.md', 'ℹ️  pinned call 2', 'docs/example-replay.test.ts'],
  ['docs/template.md', '# yaml-language-server', 'docs/docs.test.ts'],
  ['docs/terminal.md', '  db ', 'unit/clients/cli/live-texts.test.ts'],
  ['docs/terminal.md', 'shop · 2 of 3 ready', 'unit/clients/cli/ui/view.test.ts'],
  ['docs/wait.md', 'set -e', 'long/wait.test.ts'],
  ['docs/workflows.md', '$ pillion workflow list', 'unit/clients/cli/workflow-tables.test.ts has the tables'],
  ['docs/workflows.md', 'spec:', 'unit/model/workflow-settings.test.ts'],
  ['docs/workflows.md', 'apiVersion:', 'unit/files/resources/workflow-access.test.ts'],
  ['docs/messages.md', '❌  there is no run', 'long/hints.test.ts'],
  ['docs/workflows.md', '$ pillion skip 7d', 'unit/observe/api/workflows.test.ts has what it tells'],
  ['docs/workflows.md', '$ pillion workflow replay o-18', 'sdks/workflow-verbs.test.ts replays an order'],
  ['examples/market/README.md', 'npm install', 'sdks/market.test.ts'],
  ['examples/market/README.md', 'pillion up --run', 'sdks/market.test.ts'],
  ['examples/workflow-order/README.md', 'npm install', 'sdks/workflow-verbs.test.ts runs the example'],
  ['examples/daeploy/README.md', 'python3 -m venv', 'installs packages: sdks/daeploy-sdk.test.ts has the SDK'],
  ['examples/assistant/README.md', '> Can I have', 'e2e/examples.test.ts'],
  ['examples/day/README.md', 'cd examples/day', 'docs/day.test.ts'],
  ['examples/orders/README.md', 'npm start', 'e2e/examples.test.ts']
]

const isOf = ({page, text}: Block, [where, begins]: (typeof HELD)[number]): boolean =>
  page === where && text.startsWith(begins)

/** Every line is a command that `docs/docs.test.ts`, or the test of the example, runs. */
const isCommands = (block: Block): boolean => {
  const lines = block.text.split('\n').filter(Boolean)
  return commandsIn(block).length === lines.length
}

/** `docs-yaml.test.ts` holds it against the schema, `docs/docs-output.test.ts` has it validated. */
const isTemplate = ({language, text}: Block): boolean => language === 'yaml' && 'apps' in (parse(text) as object)

/** Written from the definitions, or from a run, as `docs.test.ts` checks: the help of each command, an example of each event. */
const isWritten = ({page}: Block): boolean => ['docs/commands.md', 'docs/events.md'].includes(page)

t.test('every block of the pages is run by a test, or it is said why it cannot be', async t => {
  const blocks = PAGES.flatMap(blocksOf)
  const held = (block: Block): boolean => HELD.some(entry => isOf(block, entry))
  t.same(
    blocks
      .filter(block => ![isWritten, isCommands, held, isTemplate].some(is => is(block)))
      .map(({page, text}) => `${page}: ${text.split('\n')[0] ?? ''}`),
    []
  )
  t.same(
    HELD.filter(entry => blocks.filter(block => isOf(block, entry)).length !== 1),
    [],
    'each entry is for one block'
  )
  const tests = HELD.flatMap(([, , by]) => by.match(/\S+\.test\.ts/g) ?? [])
  t.same(
    tests.filter(test => !existsSync(join(TEST, test))),
    []
  )
})
