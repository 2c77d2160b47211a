// Deploys main, and shows how a later step reads the results. Its place is .teamcity/settings.kts
//
// Set the parameters env.SPICE_API_TOKEN and env.OPENAI_API_KEY of the project, of the type "Password".
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildSteps.ScriptBuildStep
import jetbrains.buildServer.configs.kotlin.buildSteps.script
import jetbrains.buildServer.configs.kotlin.triggers.vcs

version = "2024.12"

project {
    buildType(Deploy)
}

object Deploy : BuildType({
    name = "Deploy"
    maxRunningBuilds = 1
    artifactRules = "spice-deploy.md"

    params {
        param("env.SPICE_APP_NAME", "my-app")
        param("env.SPICE_SECRETS_FROM_ENV", "OPENAI_API_KEY")
        param("env.SPICE_SUMMARY_FILE", "spice-deploy.md")
        param("env.DEPLOYMENT_ID", "")
    }

    vcs {
        root(DslContext.settingsRoot)
    }

    steps {
        script {
            name = "Deploy to Spice.ai Cloud"
            scriptContent = "spice-deploy"
            dockerImage = "ghcr.io/spicedeploy/spice-deploy:ci"
            dockerImagePlatform = ScriptBuildStep.ImagePlatform.Linux
        }
        script {
            name = "Report"
            scriptContent = "echo \"deployment \$DEPLOYMENT_ID\""
        }
    }

    triggers {
        vcs {
            branchFilter = "+:<default>"
        }
    }
})
