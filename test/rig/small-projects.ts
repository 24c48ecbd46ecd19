// Small projects with the files that their generators write, as far as import reads them, and what it makes of each.
import type {Files} from '../../src/packages/import/test/read.ts'

interface SmallProject {
  readonly files: Files
  /** Its command and its port. */
  readonly starts: string
  /** What is missing where the language is not installed. */
  readonly program: string
}

export const SMALL_PROJECTS: Readonly<Record<string, SmallProject>> = {
  rails: {
    starts: 'bin/rails server, port 3000',
    program: 'ruby',
    files: {
      Gemfile: 'source "https://rubygems.org"\n\ngem "rails", "~> 8.0.1"\ngem "puma", ">= 5.0"\n',
      'config.ru': 'require_relative "config/environment"\n\nrun Rails.application\nRails.application.load_server\n',
      bin: {
        rails:
          '#!/usr/bin/env ruby\nAPP_PATH = File.expand_path("../config/application", __dir__)\nrequire_relative "../config/boot"\nrequire "rails/commands"\n'
      },
      config: {
        'application.rb':
          'require_relative "boot"\n\nmodule Shop\n  class Application < Rails::Application\n  end\nend\n',
        'puma.rb': 'threads 3, 3\n\nport ENV.fetch("PORT", 3000)\n\nplugin :tmp_restart\n'
      }
    }
  },
  laravel: {
    starts: 'sh -c exec php artisan serve --port=$PORT, port 8000',
    program: 'php',
    files: {
      artisan: '#!/usr/bin/env php\n<?php\n\ndefine("LARAVEL_START", microtime(true));\n',
      'composer.json':
        '{"name": "laravel/laravel", "type": "project", "require": {"php": "^8.2", "laravel/framework": "^12.0"}}',
      'package.json': '{"private": true, "scripts": {"dev": "vite"}, "devDependencies": {"vite": "^6.0.11"}}',
      public: {'index.php': '<?php\n\nrequire __DIR__."/../vendor/autoload.php";\n'},
      '.env': 'APP_URL=http://localhost\nDB_CONNECTION=sqlite\n'
    }
  },
  phoenix: {
    starts: 'mix phx.server, appPort 4000',
    program: 'mix',
    files: {
      'mix.exs':
        'defmodule Shop.MixProject do\n  use Mix.Project\n\n  def application do\n    [mod: {Shop.Application, []}]\n  end\n\n  defp deps do\n    [{:phoenix, "~> 1.7.14"}, {:bandit, "~> 1.5"}]\n  end\nend\n',
      config: {
        'dev.exs':
          'import Config\n\nconfig :shop, ShopWeb.Endpoint,\n  http: [ip: {127, 0, 0, 1}, port: 4000],\n  check_origin: false\n',
        'runtime.exs':
          'import Config\n\nif config_env() == :prod do\n  port = String.to_integer(System.get_env("PORT") || "4000")\nend\n'
      }
    }
  },
  maven: {
    starts: 'sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run, port 8085',
    program: 'mvn',
    files: {
      'pom.xml':
        '<project>\n  <parent>\n    <groupId>org.springframework.boot</groupId>\n    <artifactId>spring-boot-starter-parent</artifactId>\n    <version>3.4.1</version>\n  </parent>\n  <artifactId>maven</artifactId>\n  <build>\n    <plugins>\n      <plugin>\n        <groupId>org.springframework.boot</groupId>\n        <artifactId>spring-boot-maven-plugin</artifactId>\n      </plugin>\n    </plugins>\n  </build>\n</project>\n',
      src: {
        main: {
          java: {
            shop: {
              'ShopApplication.java':
                'package shop;\n\n@SpringBootApplication\npublic class ShopApplication {\n  public static void main(String[] args) {\n    SpringApplication.run(ShopApplication.class, args);\n  }\n}\n'
            }
          },
          resources: {'application.properties': 'spring.application.name=shop\nserver.port=8085\n'}
        }
      }
    }
  },
  gradle: {
    starts: 'sh -c SERVER_PORT=$PORT exec gradle -q bootRun, port 8080',
    program: 'gradle',
    files: {
      'settings.gradle.kts': 'rootProject.name = "shop"\n',
      'build.gradle.kts':
        'plugins {\n  java\n  id("org.springframework.boot") version "3.4.1"\n  id("io.spring.dependency-management") version "1.1.7"\n}\n\ndependencies {\n  implementation("org.springframework.boot:spring-boot-starter-web")\n}\n',
      src: {main: {resources: {'application.yml': 'spring:\n  application:\n    name: shop\n'}}}
    }
  },
  dotnet: {
    starts: 'sh -c exec dotnet run --urls http://localhost:$PORT, port 5123',
    program: 'dotnet',
    files: {
      'Shop.csproj':
        '<Project Sdk="Microsoft.NET.Sdk.Web">\n\n  <PropertyGroup>\n    <TargetFramework>net9.0</TargetFramework>\n  </PropertyGroup>\n\n</Project>\n',
      'Program.cs':
        'var app = WebApplication.CreateBuilder(args).Build();\napp.MapGet("/", () => "hello");\napp.Run();\n',
      Properties: {
        'launchSettings.json':
          '\uFEFF{\n  "$schema": "https://json.schemastore.org/launchsettings.json",\n  // the first one of a project counts\n  "profiles": {\n    "IIS Express": {"commandName": "IISExpress", "applicationUrl": "http://localhost:1"},\n    "https": {\n      "commandName": "Project",\n      "applicationUrl": "https://localhost:7123;http://localhost:5123",\n    }\n  }\n}\n'
      }
    }
  }
}
