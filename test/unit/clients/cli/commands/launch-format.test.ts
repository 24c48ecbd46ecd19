import {parseEnv} from 'node:util'
import t from 'tap'
import {launchText, variables} from '../../../../../src/clients/cli/commands/debug.ts'
import type {Launch} from '../../../../../src/model/api.generated.ts'

const launch = (command: readonly string[], environment: Readonly<Record<string, string>> = {A: '1'}): Launch => ({
  appId: 'shop',
  folder: '/work/my shop',
  command,
  appPort: 3000,
  environment,
  added: Object.keys(environment)
})

t.test('a launch.json entry by what the command calls', async t => {
  const table: readonly (readonly [command: readonly string[], entry: object])[] = [
    [
      ['node', '--import', './x.mjs', 'server.js', '-p', '1'],
      {type: 'node', runtimeExecutable: 'node', runtimeArgs: ['--import', './x.mjs', 'server.js', '-p', '1']}
    ],
    [['npm', 'run', 'dev'], {type: 'node', runtimeExecutable: 'npm', runtimeArgs: ['run', 'dev']}],
    [
      ['/venv/bin/python3.12', '-u', 'app.py', '--reload'],
      {type: 'debugpy', python: '/venv/bin/python3.12', pythonArgs: ['-u'], program: 'app.py', args: ['--reload']}
    ],
    [
      ['python3', '-X', 'dev', '-W', 'ignore', 'app.py', '-x'],
      {type: 'debugpy', pythonArgs: ['-X', 'dev', '-W', 'ignore'], program: 'app.py', args: ['-x']}
    ],
    [['python3', '-u', '-m', 'shop', '-m'], {type: 'debugpy', pythonArgs: ['-u'], module: 'shop', args: ['-m']}],
    [
      ['go', 'run', '-tags', 'dev', '-ldflags', '-X main.v=1', './cmd/shop'],
      {type: 'go', program: './cmd/shop', args: [], buildFlags: "-tags dev -ldflags '-X main.v=1'"}
    ],
    [
      ['python3', '-m', 'uvicorn', 'main:app'],
      {type: 'debugpy', python: 'python3', module: 'uvicorn', args: ['main:app']}
    ],
    [['uvicorn', 'main:app'], {type: 'debugpy', module: 'uvicorn', args: ['main:app']}],
    [
      ['go', 'run', '-race', './cmd/shop', '-v'],
      {type: 'go', mode: 'debug', program: './cmd/shop', args: ['-v'], buildFlags: '-race'}
    ],
    [['go', 'run', '.'], {type: 'go', program: '.', args: []}],
    [['dotnet', 'shop.dll'], {type: 'coreclr', program: 'dotnet', args: ['shop.dll']}],
    [['./mvnw', 'a b'], {type: 'node-terminal', command: "./mvnw 'a b'"}]
  ]
  for (const [command, entry] of table) {
    const text = launchText(launch(command), 'vscode')
    t.match(
      JSON.parse(text),
      {name: 'shop', request: 'launch', cwd: '/work/my shop', env: {A: '1'}, ...entry},
      command.join(' ')
    )
  }
})

t.test('folder and command stand in a comment before the variables, on one line', async t => {
  const text = launchText(launch(['node', '-e', 'a\nb'], {A: 'x'}), 'shell')
  t.equal(text, "# shop, in /work/my shop: node -e 'a b'\nexport A=x\n")
})

t.test('no id, folder or argument leaves the comment', async t => {
  const evil = 'x\ntouch hacked\r\ntouch hacked'
  const text = launchText({...launch([evil]), appId: evil, folder: evil}, 'shell')
  t.equal(text.split(/[\r\n]/).length, 3, 'the comment, one variable, and the end')
  t.match(text, /^# [^\n]*\nexport A=1\n$/)
})

t.test('values come back as they were', async t => {
  const values = {
    PLAIN: 'http://127.0.0.1:3000/x',
    EMPTY: '',
    BLANKS: ' a b ',
    DOLLAR: '$HOME `id` \\n #',
    QUOTE: `it's`,
    LINES: 'one\ntwo',
    JSON: '{\n  "path": "C:\\new"\n}'
  }
  t.same(parseEnv(variables(launch([], values), 'dotenv')), values)
  t.equal(
    variables(launch([], {LINES: 'one\ntwo'}), 'dotenv'),
    String.raw`LINES="one\ntwo"` + '\n',
    'one line, as most read it'
  )
  t.equal(variables(launch([], {BOTH: `it's "so"`}), 'dotenv'), String.raw`BOTH="it's \"so\""` + '\n') // as Docker and Python read it
  t.match(variables(launch([], {A: `it's`}), 'shell'), String.raw`export A='it'\''s'`)
  t.equal(variables(launch([], {'not.a.name': '1', 'BASH_FUNC_x%%': '() { :; }'}), 'shell'), '')
})
