import t from 'tap'
import {firstBuild, isBuilding} from '../../../../../src/clients/cli/import-check/first-build.ts'

const TABLE: readonly (readonly [
  processes: readonly string[],
  lines: readonly string[],
  text: string,
  command: string
])[] = [
  [
    ['go run .', '/usr/lib/go/pkg/tool/compile -o x.a -p net/http -c=2'],
    [],
    'go has not ended: compiling net/http',
    'go build -o /dev/null .'
  ],
  [
    ['/usr/bin/go run ./cmd/api -v'],
    ['go: downloading golang.org/x/net v0.1'],
    'go has not ended: downloading golang.org/x/net',
    'go build -o /dev/null ./cmd/api'
  ],
  [['cargo run', 'rustc --crate-name serde --edition=2021'], [], 'cargo has not ended: compiling serde', 'cargo build'],
  [['cargo --locked run'], ['   Compiling serde v1.0.2'], 'cargo has not ended: Compiling serde', 'cargo build'],
  [
    ['java -classpath /m2/plexus-classworlds.jar org.codehaus.plexus.classworlds.launcher.Launcher -q spring-boot:run'],
    [],
    'Maven has not ended',
    'PROGRAM -q package -DskipTests'
  ],
  [
    ['java -cp gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain -q bootRun'],
    [],
    'Gradle has not ended',
    'PROGRAM classes'
  ],
  [['dotnet run'], [], 'dotnet has not ended', 'dotnet build'],
  [
    ['sh -c docker build', 'docker build --quiet --tag x .'],
    ['#7 [2/5] RUN npm ci'],
    'docker has not ended: [2/5] RUN npm ci',
    ''
  ]
]

t.test('a build is known by its processes and lines, until what it builds is under way', async t => {
  for (const [processes, lines, text, command] of TABLE)
    t.strictSame(firstBuild(processes, lines, 'PROGRAM'), {text: `its first build by ${text}`, command})
  for (const processes of [
    ['go run .', '/tmp/go-build1/b001/exe/api'],
    ['target/debug/api --port 80'],
    ['sh -c cargo run', 'cargo run', '/x/target/debug/api'],
    ['java -cp plexus.classworlds.Launcher', '/jvm/bin/java -cp target/classes shop.App'],
    ['dotnet run', '/x/bin/Debug/net9.0/api'],
    ['uv run python -m app', '/x/.venv/bin/python -m app'],
    ['node server.js']
  ]) {
    t.equal(firstBuild(processes, [], 'x'), undefined, processes.join(' · '))
    t.equal(isBuilding(processes), false, processes.join(' · '))
  }
})

t.test('an image is pulled until docker says that it is there', async t => {
  const lines = ["Unable to find image 'redis:8' locally", '8: Pulling from library/redis']
  t.strictSame(firstBuild(['docker run redis:8'], lines, 'docker'), {
    text: 'its image redis:8 is being pulled',
    command: 'docker pull redis:8'
  })
  t.equal(
    firstBuild(['docker run redis:8'], [...lines, 'Status: Downloaded newer image for redis:8'], 'docker'),
    undefined
  )
})
