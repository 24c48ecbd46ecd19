import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const FILES = {
  'pillion.yaml':
    'version: 1\napps:\n  - id: web\n    dir: .\n    port: 21790\n    command: [node, web.js]\n  - {id: db, dir: ., command: [sleep, "9"]}\n',
  'package.json': '{"scripts": {"test": "node --test"}}',
  'AGENTS.md': '# Rules\n\nUse tabs.\n',
  '.vscode/mcp.json': '{\n\t"inputs": [1,  2],\n\t"servers": {\n\t\t"mine": {"command": "x"}\n\t}\n}\n',
  '.cursor/mcp.json': '{}'
}

const read = (rig: Rig, name: string): string => readFileSync(join(rig.folder, name), 'utf8')

t.test('agent init shows the change, asks, keeps all else, and changes nothing the second time', async t => {
  const rig = await openRig(t)
  await rig.write(FILES)
  const asked = await rig.run(['agent', 'init'])
  t.match(asked, {
    code: 1,
    stdout: /--- AGENTS\.md\n\+\+\+ AGENTS\.md\n@@ -2,2 \+2,\d+ @@\n \n Use tabs\.\n\+\n\+<!-- pillion/
  })
  t.match(
    asked.stdout + asked.stderr,
    '--yes writes AGENTS.md, CLAUDE.md, .mcp.json, .cursor/mcp.json, .vscode/mcp.json.'
  )
  t.equal(read(rig, 'AGENTS.md'), FILES['AGENTS.md'], 'nothing was written')
  t.match(await rig.run(['agent', 'init', '--yes']), {code: 0, stdout: /wrote AGENTS\.md, CLAUDE\.md/})
  const agents = read(rig, 'AGENTS.md')
  t.match(agents, /^# Rules\n\nUse tabs\.\n\n<!-- pillion/)
  t.match(agents, 'web (port 21790), db')
  t.match(agents, 'curl -i "$(pillion url web)/"')
  t.match(agents, 'pillion up --run "npm test"')
  t.ok(agents.split('\n').length < 25)
  t.match(read(rig, 'CLAUDE.md'), '\n@AGENTS.md\n')
  const server = {command: 'pillion', args: ['mcp']}
  t.same(JSON.parse(read(rig, '.mcp.json')), {mcpServers: {pillion: server}})
  t.same(JSON.parse(read(rig, '.cursor/mcp.json')), {mcpServers: {pillion: server}})
  const vscode = read(rig, '.vscode/mcp.json')
  t.match(vscode, '\t"inputs": [1,  2],\n\t"servers": {\n')
  t.match(vscode, '\n\t\t"mine": {"command": "x"}\n\t}\n}\n')
  t.same(JSON.parse(vscode), {inputs: [1, 2], servers: {mine: {command: 'x'}, pillion: {type: 'stdio', ...server}}})
  t.match(await rig.run(['agent', 'init']), {code: 0, stdout: /Nothing to change/})
  await rig.write({
    'AGENTS.md': `${agents}\nMore of mine.\n`,
    'pillion.yaml': FILES['pillion.yaml'].replace('21790', '21791')
  })
  t.match(await rig.run(['agent', 'init', '--yes']), {code: 0, stdout: /wrote AGENTS\.md\n/})
  t.equal(read(rig, 'AGENTS.md'), `${agents.replace('21790', '21791')}\nMore of mine.\n`, 'only the block')
})

t.test('a file that is not JSON is named with the place, and nothing is written', async t => {
  const rig = await openRig(t)
  for (const [text, place] of [
    ['{\n  "mcpServers": {,}\n}\n', '.mcp.json:2:18 is not JSON'],
    ['[]', '.mcp.json is JSON, but not an object'],
    ['{"mcpServers": []}', '.mcp.json: mcpServers is not an object']
  ] as const) {
    await rig.write({...FILES, '.mcp.json': text})
    const {code, stdout, stderr} = await rig.run(['agent', 'init', '--yes'])
    t.equal(code, 1)
    t.match(stdout + stderr, place)
    t.equal(read(rig, 'AGENTS.md'), FILES['AGENTS.md'])
    t.equal(read(rig, '.mcp.json'), text)
  }
  t.match(await rig.run(['agent', 'init', '--yes'], {folder: '../home'}), {code: 1})
})

t.test('the commands fit the template and the repository', async t => {
  const rig = await openRig(t)
  await rig.write({
    'pillion.yaml': 'version: 1\napps:\n  - {id: svc, dir: ., appPort: 21792, command: [sleep, "9"]}\n',
    'pyproject.toml': '[tool.pytest.ini_options]\nminversion = "8"\n'
  })
  t.match(await rig.run(['agent', 'init', '--yes']), {code: 0})
  t.match(read(rig, 'AGENTS.md'), 'pillion up --run "pytest"')
  t.match(read(rig, 'AGENTS.md'), '`pillion invoke --app-id svc --verb GET --method PATH`', 'its port carries no calls')
  await rig.write({'pyproject.toml': '', 'go.mod': 'module example.org/shop\n'})
  t.match(await rig.run(['agent', 'init', '--yes']), {code: 0, stdout: /wrote AGENTS\.md\n/})
  t.match(read(rig, 'AGENTS.md'), 'pillion up --run "go test ./..."')
})
