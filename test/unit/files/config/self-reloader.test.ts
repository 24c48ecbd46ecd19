import t from 'tap'
import {selfReloader} from '../../../../src/files/config/implied-watch.ts'

t.test('commands that reload themselves are recognised, also behind launchers and scripts', async t => {
  const folder = t.testdir({
    'package.json': JSON.stringify({
      scripts: {
        dev: 'vite --host',
        start: 'npm run dev',
        build: 'vite build',
        serve: 'tsc && node dist.js',
        loop: 'npm run loop'
      }
    })
  })
  const yes: readonly (readonly [string, string])[] = [
    ['vite', 'vite'],
    ['node_modules/.bin/vite --port 3', 'vite'],
    ['npx vite', 'vite'],
    ['npm run dev', 'vite'],
    ['npm start', 'vite'],
    ['npm run dev -- --port 3', 'vite'],
    ['yarn dev', 'vite'],
    ['pnpm exec vite', 'vite'],
    ['next dev', 'next dev'],
    ['uvicorn main:app --reload', 'uvicorn --reload'],
    ['python3 -m uvicorn main:app --reload', 'uvicorn --reload'],
    ['poetry run uvicorn main:app --reload', 'uvicorn --reload'],
    ['python manage.py runserver', 'manage.py runserver'],
    ['node --watch app.js', 'node --watch'],
    ['node --watch-path=src app.js', 'node --watch-path'],
    ['nodemon app.js', 'nodemon'],
    ['npx tsx watch app.ts', 'tsx watch'],
    ['env A=1 nodemon app.js', 'nodemon'],
    ['A=1 nodemon app.js', 'nodemon'],
    ['air', 'air'],
    ['dotnet watch run', 'dotnet watch']
  ]
  for (const [command, found] of yes) t.equal(selfReloader(command.split(' '), folder), found, command)
  t.equal(selfReloader(['sh', '-c', 'npm run build && exec npm run dev'], folder), 'vite')
  for (const command of [
    'node app.js',
    'node app.js --watch',
    'vite build',
    'npm run build',
    'npm run serve',
    'npm run loop',
    'npm run nothing',
    'next start',
    'tsx app.ts',
    'uvicorn main:app',
    'go run .',
    ''
  ])
    t.equal(selfReloader(command.split(' ').filter(Boolean), folder), '', command)
})
