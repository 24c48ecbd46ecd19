import t from 'tap'
import {portAdvice, programText} from '../../../src/run/port-advice.ts'

t.test('the advice names what the program is: Spring Boot by its build file or task, else plain Java', async t => {
  const folder = t.testdir({
    plain: {'Main.java': '', 'pom.xml': '<artifactId>javalin</artifactId>'},
    maven: {'pom.xml': '<artifactId>spring-boot-starter-web</artifactId>'},
    gradle: {'build.gradle.kts': 'id("org.springframework.boot") // spring-boot'}
  })
  const table: readonly (readonly [string, string, string])[] = [
    ['java Main.java', 'plain', 'Java: read PORT'],
    ['java -jar target/app.jar', 'plain', 'Java: read PORT'],
    ['./mvnw exec:java', 'plain', 'Java: read PORT'],
    ['java -jar target/app.jar', 'maven', 'Spring Boot: '],
    ['java -jar ../maven/target/app.jar', 'plain', 'Spring Boot: '],
    ['./gradlew run', 'gradle', 'Spring Boot: '],
    ['./gradlew bootRun', 'plain', 'Spring Boot: '],
    ['mvn spring-boot:run', 'plain', 'Spring Boot: '],
    ['go run .', 'plain', 'Go: ']
  ]
  for (const [command, at, advice] of table)
    t.ok(portAdvice(programText(command.split(' '), `${folder}/${at}`)).startsWith(advice), `${command} in ${at}`)
})

t.test('a word of 100,000 letters is read in linear time', async t => {
  for (const word of ['a', '/a', 'npm ', 'npm:', '.jar']) {
    const begin = performance.now()
    t.equal(portAdvice(programText(['sh', '-c', word.repeat(100_000)], '/nowhere')).length > 0, true)
    t.ok(performance.now() - begin < 5000, word)
  }
})
