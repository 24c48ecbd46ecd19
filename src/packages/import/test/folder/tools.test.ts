// Programs of a folder that serve nothing: tools of the command line, and workers.
import t from 'tap'
import {imported} from '../read.ts'

const start = (more = ''): string => `{"scripts": {"start": "node x.js"}${more}}`

t.test('a command-line tool starts on request, and a worker that listens nowhere has no mark of a port', async t => {
  const {template, notes} = await imported(t, {
    cli: {'package.json': start(', "bin": {"shop": "x.js"}'), 'x.js': 'console.log(1)'},
    go: {'go.mod': '', 'main.go': 'package main\nimport "github.com/urfave/cli/v3"'},
    server: {'package.json': start(', "bin": "x.js"'), 'x.js': 'http.createServer(f)'},
    worker: {'package.json': start(), 'x.js': 'setInterval(work, 1000)'}
  })
  t.match(
    template.apps.map(({appID, profiles}) => [appID, profiles]),
    [
      ['cli', ['tools']],
      ['go', ['tools']],
      ['server', undefined],
      ['worker', undefined]
    ]
  )
  t.match(notes, [
    'it is a tool of the command line: pillion start cli, or --profile tools',
    'it is a tool of the command line: pillion start go, or --profile tools',
    /^appPort: the port on which it listens is not known/
  ])
  t.equal(notes.length, 3)
})
