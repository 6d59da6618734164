# make targets that build a distribution in containers, stage by stage, with
# stagemake. `make ci-docker-help` lists them.
#
# To adopt it: copy this file next to the distribution's Makefile, commit it,
# and add one line anywhere in the Makefile:
#
#     include $(wildcard ci-docker.mk)
#
# - Copy it, so that it can say what is missing if stagemake is. If you
#   do not need that message, name the installed file in the wildcard instead:
#   PREFIX/share/stagemake/ci-docker.mk.
# - Use `$(wildcard)`, not `-include`: the Makefile goes into the containers and
#   this file does not. If it is absent, make would look for a rule to make it,
#   and a match-anything rule `%::`, as in Sage's Makefile, is such a rule.
#
# Reading this file runs no program, sets no default goal and exports nothing;
# other targets are not affected. The targets here win over `%::`, because make
# takes the rule with the shortest stem. Only if make is asked for its rules
# (make -p), as shells do on TAB, stagemake is asked for the environments.
#
# VARIABLES are given as `make ci-docker-ENV NAME=VALUE` or in the environment.
# They reach stagemake through the environment, so that quotes, blanks and
# newlines arrive unchanged. (On make's command line, write `$$` for `$`.)
# What tox.ini says about an environment's system and packages overrides the
# caller's variables, as in tox; make's command line overrides both.
# A variable that the distribution's Makefile itself sets is not meant for
# stagemake, even if it is exported or is called TARGETS: stagemake does not see
# it. make drops the environment's value of such a variable; set it on the
# command line, which overrides the Makefile.
#
# FLAGS: -n is a dry run (so are -t and -q). -s shows failures only. With -k,
# stages that do not depend on a failed stage are still built; without it, no
# stage starts after a failure. -k has no effect in the containers, where make
# has its own flags, USE_MAKEFLAGS (`-k V=0`). With -jN, the makes in the
# containers share make's N job slots with everything else that make runs, and
# NUMPROC is ignored. `make -j8 ci-docker-A ci-docker-B` builds two environments
# at once, with 8 jobs in all; stagemake locks each of them.
#
# This file is meant to be copied; keep it in one piece. Its own names contain a
# dot, which keeps them out of the environment even under a plain `export`, and
# apart from the distribution's names.

ifndef ci-docker.read
ci-docker.read := yes
# Without this, the explicit rules below would set the default goal if this file
# is included at the top. An empty value makes make continue to look for one.
ci-docker.default-goal := $(.DEFAULT_GOAL)

# Variables that tox.ini sets too; it does not set the others, or takes them from the caller.
ci-docker.said-by-tox := ALL_EXTRA_SAGE_PACKAGES BASE_IMAGE BOOTSTRAP \
  IGNORE_MISSING_SYSTEM_PACKAGES SAGE_PACKAGE_LIST_ARGS SYSTEM WITH_SYSTEM_SPKG
ci-docker.variables := $(ci-docker.said-by-tox) \
  EXTRA_CONFIGURE_ARGS EXTRA_SAGE_PACKAGES EXTRA_SYSTEM_PACKAGES NUMPROC \
  SAGE_CHECK SAGE_CHECK_PACKAGES TARGETS TARGETS_OPTIONAL TARGETS_PRE \
  USE_MAKEFLAGS DOCKER_TARGETS DOCKER_TAG EXTRA_DOCKER_TAGS \
  DOCKER_PUSH_REPOSITORY EXTRA_DOCKER_BUILD_ARGS \
  FROM_DOCKER_REPOSITORY FROM_DOCKER_TARGET FROM_DOCKER_TAG

# Before 3.82, make prefers a `%::` that comes before these targets; before 4.0, it
# writes MAKEFLAGS in a form that is not read below.
ci-docker.too-old := $(if $(filter 0.% 1.% 2.% 3.%,$(or $(MAKE_VERSION),0.0)),yes)
ifneq ($(and $(ci-docker.too-old),$(filter ci-docker ci-docker-%,$(MAKECMDGOALS))),)
$(error The ci-docker targets need GNU make 4.0 or later, and this is $(or $(MAKE_VERSION),another make). On macOS, `brew install make` and say gmake)
endif

define ci-docker.newline


endef
ci-docker.quote = '$(subst ','\'',$(1))'
# A recipe that prints a message and fails.
ci-docker.fail = @printf '%s\n' $(call ci-docker.quote,ci-docker: $(1)) $(2) >&2; exit 2

# MAKEFLAGS begins with the one-letter flags, or with a blank if there are none.
ci-docker.flag = $(findstring $(1),$(firstword -$(MAKEFLAGS)))
ci-docker.dry-run = $(if $(or $(call ci-docker.flag,n),$(call ci-docker.flag,t),$(call ci-docker.flag,q)),--dry-run)
ci-docker.build-flags = $(strip $(ci-docker.dry-run) $(if $(call ci-docker.flag,s),--quiet) \
  $(if $(call ci-docker.flag,k),--keep-going,--stop-at-failure) $(STAGEMAKE_FLAGS))

ci-docker.program = $(call ci-docker.quote,$(or $(STAGEMAKE),stagemake))
# stagemake looks for the tree upwards from here; with `make -f DIR/Makefile`, the tree is elsewhere.
ci-docker.elsewhere = $(filter-out ./,$(dir $(firstword $(MAKEFILE_LIST))))
ci-docker.where = $(strip \
  $(if $(wildcard build/pkgs/),,$(if $(ci-docker.elsewhere),--tree $(call ci-docker.quote,$(ci-docker.elsewhere)))) \
  $(if $(STAGEMAKE_STAGES),--stages $(call ci-docker.quote,$(STAGEMAKE_STAGES))))
ci-docker.found = $(shell command -v $(ci-docker.program) 2> /dev/null)
ci-docker.stages = $(if $(ci-docker.found),$(shell $(ci-docker.program) stages $(ci-docker.where)))

# Variables that the Makefile set are removed from the environment, except the two that can only be meant for stagemake.
# (`firstword`: there is also an origin `environment override`.)
ci-docker.in-file = $(filter file override,$(firstword $(origin $(1))))
ci-docker.env = $(strip $(foreach name,$(ci-docker.variables),$(if $(call ci-docker.in-file,$(name)),-u $(name))) \
  $(foreach name,STAGEMAKE_ENGINE STAGEMAKE_STATE,$(if $(call ci-docker.in-file,$(name)),$(name)=$(call ci-docker.quote,$($(name))))))
# An empty value counts as unset. Values are read from the environment, where make puts them: a newline would end this line.
ci-docker.set = $(foreach name,$(ci-docker.said-by-tox),$(if \
  $(and $(filter command,$(firstword $(origin $(name)))),$($(name))),--set $(name)="$$$(name)"))
# `exec`, so that a signal to make's child reaches stagemake.
ci-docker.exec = exec $(if $(ci-docker.env),env $(ci-docker.env) )$(ci-docker.program:'stagemake'=stagemake)

# $(call ci-docker.tool,RECIPE): the recipe, if stagemake is found.
ci-docker.tool = $(if $(ci-docker.too-old),$(call \
  ci-docker.fail,these targets need GNU make 4.0 or later and this is $(MAKE_VERSION)),$(if $(ci-docker.found),$(1),$(call \
  ci-docker.fail,there is no $(or $(STAGEMAKE),stagemake) in PATH; it is what builds the containers.,$(ci-docker.how-to-get-it))))
ci-docker.how-to-get-it = 'Get its sources, let `tools/quickstart` in them try it out, and' \
  '`cmake --install build` install it. Or say where it is:' \
  $(call ci-docker.quote,    make $@ STAGEMAKE=/path/to/stagemake)

# An environment's target may end with a stage. Both names contain dashes, so stagemake is asked for the stages. If
# several match, such as `targets` and `with-targets`, the longest is used: the one that is not the end of another.
ci-docker.fitting = $(foreach stage,$(2),$(if $(filter %-$(stage),$(1)),$(stage)))
ci-docker.longest = $(strip $(foreach stage,$(1),$(if $(filter %-$(stage),$(1)),,$(stage))))
ci-docker.stage = $(call ci-docker.longest,$(call ci-docker.fitting,$(1),$(2)))
ci-docker.environment = $(call ci-docker.quote,$(if $(2),$(patsubst %-$(2),%,$(1)),$(1)))

# $(call ci-docker.split,MACRO,NAME): $(call MACRO,ENVIRONMENT,STAGE or nothing). If no stages are found, stagemake said why.
ci-docker.split = $(call ci-docker.tool,$(call ci-docker.split-by,$(1),$(2),$(ci-docker.stages)))
ci-docker.split-by = $(if $(3),$(call ci-docker.split-at,$(1),$(2),$(call ci-docker.stage,$(2),$(3))),@exit 2)
ci-docker.split-at = $(call $(1),$(call ci-docker.environment,$(2),$(3)),$(3))

ci-docker.to = $(if $(1), --to $(1))
ci-docker.build = $(ci-docker.exec) build $(strip $(ci-docker.build-flags) $(ci-docker.where) $(ci-docker.set)) $(1)$(call ci-docker.to,$(2))
ci-docker.explain = $(ci-docker.exec) explain $(strip $(ci-docker.where) $(ci-docker.set) $(1)$(call ci-docker.to,$(2)))
ci-docker.shell = $(ci-docker.exec) shell $(strip $(ci-docker.dry-run) $(ci-docker.where) $(1) $(2))
ci-docker.plan = $(if $(2),$(call ci-docker.no-stage,plan,$(1)),$(ci-docker.exec) plan $(strip $(ci-docker.where) $(ci-docker.set) $(1)))
ci-docker.clean = $(if $(2),$(call ci-docker.no-stage,clean,$(1)),$(ci-docker.exec) clean $(strip $(ci-docker.dry-run) $(ci-docker.where) $(1)))
ci-docker.no-stage = $(call ci-docker.fail,$(1) is for a whole environment: make ci-docker-$(1)-$(2:'%'=%))

# Names of environments, as targets, by system.
ci-docker.list = @$(ci-docker.exec) envs --by-system --prefix ci-docker- $(ci-docker.where)

# A pattern cannot be .PHONY, but can have a prerequisite that is; a file of the same name then changes nothing. The
# recipes follow `;` in case a Makefile changes .RECIPEPREFIX. `+` runs them under -n, too.
.PHONY: .ci-docker.always ci-docker ci-docker-help ci-docker-list ci-docker-plan ci-docker-explain ci-docker-shell ci-docker-clean
.ci-docker.always: ;
ci-docker-%: .ci-docker.always ; +$(call ci-docker.split,ci-docker.build,$*)
ci-docker-plan-%: .ci-docker.always ; +$(call ci-docker.split,ci-docker.plan,$*)
ci-docker-explain-%: .ci-docker.always ; +$(call ci-docker.split,ci-docker.explain,$*)
ci-docker-shell-%: .ci-docker.always ; +$(call ci-docker.split,ci-docker.shell,$*)
ci-docker-clean-%: .ci-docker.always ; +$(call ci-docker.split,ci-docker.clean,$*)
ci-docker-list: ; +$(call ci-docker.tool,$(ci-docker.list))
ci-docker-plan ci-docker-explain ci-docker-shell ci-docker-clean: ; +$(call \
  ci-docker.fail,of which environment? Say make $@-ENV; make ci-docker-list knows them)
ci-docker ci-docker-help: ; +@printf '%s\n' $(subst $(ci-docker.newline), ,$(ci-docker.help))

# For TAB: bash-completion, and zsh with `zstyle ':completion:*:make:*:targets' call-command true`, call make with -p
# and look for rules of targets, which patterns are not. Only then, each name becomes a target; the patterns above
# still have the recipes.
ifneq ($(or $(__BASH_MAKE_COMPLETION__),$(call ci-docker.flag,p)),)
ci-docker.ask = $(if $(ci-docker.found),$(shell $(ci-docker.program) envs $(1) $(ci-docker.where) 2> /dev/null))
$(addprefix ci-docker-,$(call ci-docker.ask) $(call ci-docker.ask,--systems)) \
  $(addprefix ci-docker-all-,$(call ci-docker.ask,--packages)): .ci-docker.always
endif

# One quoted word per line, as the printf above takes them.
define ci-docker.help
'make ci-docker-ENV                 build an environment, all its stages'
'make ci-docker-ENV-STAGE           the same up to one stage'
'make ci-docker-SYSTEM              a system with each of its package sets'
'make ci-docker-all-PACKAGES        every system with one package set'
'make ci-docker-list                all of these, system by system'
'make ci-docker-plan-ENV            its stages, what each builds; needs no engine'
'make ci-docker-explain-ENV[-STAGE] what a build would do now, and why'
'make ci-docker-shell-ENV[-STAGE]   a shell in its newest image, or that of STAGE'
'make ci-docker-clean-ENV           remove its images'
''
'ENV is a name as debian-bookworm-minimal: a SYSTEM, debian-bookworm, and what'
'PACKAGES of the system to install: minimal, standard or maximal. A system alone'
'means these three: make ci-docker-debian-bookworm. The other way round,'
'make ci-docker-all-minimal builds every system, each with few packages. Both'
'can stand wherever ENV does, but for shell and clean.'
''
'STAGE is one of those that `stagemake stages` prints. What is built already is'
'reused; after a failure or ctrl-C the same command goes on where it stopped.'
''
'Flags of make: -n says what would be done, -s shows failures only, -k goes on'
'with stages that do not hang on a failed one, -j8 with two targets builds both'
'at once, 8 jobs in all, inside too. TAB completes names where the shell asks.'
''
'Variables, on the command line (a dollar is $$$$ there) or in the environment:'
'  EXTRA_CONFIGURE_ARGS    more arguments for configure'
'  EXTRA_SAGE_PACKAGES     more packages whose system packages are installed'
'  EXTRA_SYSTEM_PACKAGES   more system packages, by their own names'
'  TARGETS_PRE, TARGETS, TARGETS_OPTIONAL   what the last three stages make'
'  NUMPROC, USE_MAKEFLAGS  jobs (without -j) and flags of make in the containers'
'  DOCKER_TARGETS          stages to build up to (default: with-targets)'
'  DOCKER_PUSH_REPOSITORY, DOCKER_TAG, EXTRA_DOCKER_TAGS   names of the images'
'  FROM_DOCKER_REPOSITORY, FROM_DOCKER_TARGET, FROM_DOCKER_TAG'
'                          what ENV-incremental starts from'
'  STAGEMAKE_ENGINE        docker, podman or buildah (default: what works)'
'  STAGEMAKE_STATE         folder for logs'
'  STAGEMAKE_STAGES        table of stages (default: ci-docker.toml, if there)'
'  STAGEMAKE_FLAGS         more options, see `stagemake build --help`'
'  STAGEMAKE               the program, if it is not in PATH'
'These win over tox.ini on the command line; in the environment, they count'
'where tox.ini says nothing:'
'  BASE_IMAGE              image to start from'
'  SYSTEM                  package system: debian, fedora, arch, ..'
'  SAGE_PACKAGE_LIST_ARGS, ALL_EXTRA_SAGE_PACKAGES   packages to install'
'  WITH_SYSTEM_SPKG, IGNORE_MISSING_SYSTEM_PACKAGES, BOOTSTRAP'
endef

.DEFAULT_GOAL := $(ci-docker.default-goal)
endif
