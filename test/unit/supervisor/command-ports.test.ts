import t from 'tap'
import {commandPorts} from '../../../src/supervisor/command.ts'

t.test('variables that give a program the port of its command', async t => {
  for (const [command, variables] of [
    ['SERVER_PORT=$PORT exec ./mvnw -q spring-boot:run', {SERVER_PORT: '5101'}],
    ['PORT=$APP_PORT A=1 java -jar app.jar', {PORT: '5101'}],
    ['java -Dserver.port=${APP_PORT} -jar app.jar', {SERVER_PORT: '5101'}],
    ['exec java -jar app.jar --server.port="$PORT"', {SERVER_PORT: '5101'}],
    ['mvn quarkus:dev -Dquarkus.http.port=$PORT', {QUARKUS_HTTP_PORT: '5101'}],
    ['SERVER_PORT=5101 MAX_ORDERS=5101 java -jar app.jar', {SERVER_PORT: '5101'}],
    ['ASPNETCORE_URLS=http://localhost:$PORT dotnet run', {ASPNETCORE_URLS: 'http://localhost:5101'}],
    ['X_PORT=$PORTS Y=$PORT:$HOME uvicorn main:app --port=$PORT', {}]
  ] as const)
    t.same(commandPorts(['sh', '-c', command], 5101), variables, command)
  t.same(commandPorts(['sh', '-c', 'SERVER_PORT=$PORT java Main'], 0), {}, 'without an app port')
})

t.test('a word of 100,000 letters is read in linear time', async t => {
  for (const word of ['a', '-D', '--a.', 'a=', '$PORT']) {
    const begin = performance.now()
    commandPorts([word.repeat(100_000)], 5101)
    t.ok(performance.now() - begin < 5000, word)
  }
})
