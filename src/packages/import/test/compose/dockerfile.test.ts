import t from 'tap'
import {imported, type Files} from '../read.ts'

/** Folder and command of the one program of a compose file. */
async function startOf(dockerfile: string, files: Files, build = '{context: .}'): Promise<string> {
  const compose = `services: {api: {build: ${build}}}`
  const {template} = await imported(t, {'compose.yaml': compose, Dockerfile: dockerfile, ...files})
  const {appDirPath, command} = template.apps[0] ?? {}
  return `${String(appDirPath)} ${(command as readonly string[]).join(' ')}`
}

const python = (): Files => ({'main.py': ''})

const staged = (): Files => ({web: {'dev.js': '', 'prod.js': ''}})

t.test('a program runs in the folder that its image copies to where it starts', async t => {
  const cases: readonly (readonly [string, string, Files])[] = [
    [
      './backend python app/main.py',
      'WORKDIR /app/backend/\nCOPY ./backend/app /app/backend/app\nCMD ["python", "app/main.py"]',
      {backend: {app: python()}}
    ],
    ['./backend python main.py', 'WORKDIR /app\nCOPY backend .\nCMD ["python", "main.py"]', {backend: python()}],
    ['./backend python main.py', 'COPY . /app\nWORKDIR /app/backend\nCMD python main.py', {backend: python()}],
    [
      '. python main.py',
      'WORKDIR /app\nCOPY requirements.txt .\nCOPY --chown=x:y . .\nCMD ["python", "main.py"]',
      python()
    ],
    ['. python main.py', 'WORKDIR /srv\nCOPY --from=build /x .\nCMD ["python", "main.py"]', python()],
    ['. python main.py', 'WORKDIR /app\nCOPY ../other .\nCMD ["python", "main.py"]', python()]
  ]
  for (const [expected, lines, files] of cases)
    t.equal(await startOf(`FROM python\n${lines}\n`, files), expected, lines)
})

t.test('the stage that is built: its own lines, and those of the stage below', async t => {
  const stages = `FROM node AS base
WORKDIR /app
COPY web .
FROM base AS dev
CMD ["node", "dev.js"]
FROM base
CMD ["node", "prod.js"]
`
  t.equal(await startOf(stages, staged(), '{context: ., target: dev}'), './web node dev.js')
  t.equal(await startOf(stages, staged()), './web node prod.js')
})

t.test('comments and empty lines within an instruction are no part of it', async t => {
  const lines = `FROM node
ENV A=1 \\
    # B is the second one
    B=2 \\

    C=3
CMD ["node", \\
# its file
  "server.js"]
`
  const {template} = await imported(t, {
    'compose.yaml': 'services: {web: {build: .}}',
    Dockerfile: lines,
    'server.js': ''
  })
  t.match(template.apps, [{command: ['node', 'server.js'], env: {A: '1', B: '2', C: '3'}}])
  t.strictSame(Object.keys(template.apps[0]?.['env'] ?? {}), ['A', 'B', 'C'])
})

t.test('an ENTRYPOINT takes no CMD of the stage below', async t => {
  const base = 'FROM node AS base\nCMD ["node", "dev.js"]\n'
  t.equal(
    await startOf(`${base}FROM base\nENTRYPOINT ["node", "prod.js"]\n`, {'dev.js': '', 'prod.js': ''}),
    '. node prod.js'
  )
  t.equal(
    await startOf(`${base}ENTRYPOINT ["node", "prod.js"]\n`, {'dev.js': '', 'prod.js': ''}),
    '. node prod.js node dev.js'
  )
})
