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
  [['/bin/sh ./mvnw -q quarkus:dev'], [], 'Maven has not ended', 'PROGRAM -q package -DskipTests'],
  [['bash -e /x/gradlew -q bootRun'], [], 'Gradle has not ended', 'PROGRAM classes'],
  [['gradle run'], [], 'Gradle has not ended', 'PROGRAM classes'],
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
    ['go run .', `/root/.cache/go-build/47/47${'0f'.repeat(31)}-d/api`],
    ['go run .', `/cache/f7/f7${'a1'.repeat(31)}-d/api --port 80`],
    ['target/debug/api --port 80'],
    ['sh -c cargo run', 'cargo run', '/x/target/debug/api'],
    ['java -cp plexus.classworlds.Launcher', '/jvm/bin/java -cp target/classes shop.App'],
    ['dotnet run', '/x/bin/Debug/net9.0/api'],
    ['dotnet run', '/x/artifacts/bin/App/debug/App'],
    ['dotnet run', '/x/artifacts/bin/App/release_net9.0/App'],
    [
      'mvn -q compile exec:java',
      'java -classpath /m2/plexus-classworlds.jar org.codehaus.plexus.classworlds.launcher.Launcher exec:java'
    ],
    ['sh ./mvnw exec:java', 'java org.apache.maven.wrapper.MavenWrapperMain -q exec:java'],
    ['node /home/me/gradle/node_modules/.bin/vite'],
    ['node /home/me/gradlew/node_modules/.bin/vite', '/home/me/gradle/bin/esbuild --service'],
    ['node /home/me/mvn-shop/server.js', 'node /home/me/mvn /home/me/gradle x'],
    ['uv run python -m app', '/x/.venv/bin/python -m app'],
    ['node server.js']
  ]) {
    t.equal(firstBuild(processes, [], 'x'), undefined, processes.join(' · '))
    t.equal(isBuilding(processes), false, processes.join(' · '))
  }
})

t.test('an image is pulled until docker says that it is there, or refuses it', async t => {
  const lines = ["Unable to find image 'redis:8' locally", '8: Pulling from library/redis']
  t.strictSame(firstBuild(['docker run redis:8'], lines, 'docker'), {
    text: 'its image redis:8 is being pulled',
    command: 'docker pull redis:8'
  })
  for (const [processes, line] of [
    [['docker run redis:8'], 'Status: Downloaded newer image for redis:8'],
    [['docker run redis:8'], 'docker: Error response from daemon: pull access denied for redis'],
    [[], '8: Pulling fs layer']
  ] as const)
    t.equal(firstBuild(processes, [...lines, line], 'docker'), undefined, line)
})
