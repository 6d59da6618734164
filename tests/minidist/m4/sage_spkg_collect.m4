dnl Part of configure: what becomes of each package. bootstrap writes
dnl sage_spkg_collect, which calls sage_spkg_finalize for every package.
SAGE_BUILT_PACKAGES=
SAGE_DUMMY_PACKAGES=
SAGE_PACKAGE_VERSIONS=
SAGE_PACKAGE_DEPENDENCIES=
SAGE_PACKAGE_TREES=
SAGE_OPTIONAL_INSTALLED_PACKAGES=
SAGE_OPTIONAL_UNINSTALLED_PACKAGES=
SAGE_SDIST_PACKAGES=
SAGE_NORMAL_PACKAGES=
SAGE_PIP_PACKAGES=
SAGE_SCRIPT_PACKAGES=
SAGE_SPKG_ERRORS=
SAGE_NEED_SYSTEM_PACKAGES=

newline='
'

# first_line FILE: sets $line to its first line without blanks and comment
first_line () {
    line=
    [ -f "$1" ] || return 0
    IFS= read -r line < "$1"
    line=${line%%#*}
    line=${line#"${line%%[! ]*}"}
    line=${line%"${line##*[! ]}"}
}

# add LISTVAR NAME: one more line in a makefile list
add () { eval "$1=\"\$$1 \\\\\${newline}    \$2\""; }

# sage_spkg_finalize NAME TYPE KIND TREE...
sage_spkg_finalize () {
    pkg=$1
    type=$2
    kind=$3
    shift 3
    dir=build/pkgs/$pkg
    [ -d "$dir" ] || fail "$dir is missing; run ./bootstrap again"

    version=none
    [ -f "$dir/package-version.txt" ] && IFS= read -r version < "$dir/package-version.txt"
    SAGE_PACKAGE_VERSIONS="$SAGE_PACKAGE_VERSIONS${newline}vers_$pkg = $version"
    SAGE_PACKAGE_TREES="$SAGE_PACKAGE_TREES${newline}trees_$pkg = $*"

    # Is some version of it installed? (SAGE_LOCAL: the fallback for a tree
    # that is disabled, and what an installed copy in the old place is.)
    installed=no
    for treevar in "$@" SAGE_LOCAL; do
        eval "tree=\$$treevar"
        [ -n "$tree" ] || continue
        for stamp in "$tree/var/lib/sage/installed/$pkg"-*; do
            if [ -r "$stamp" ]; then
                if [ "$installed" = yes ] && [ "$kind" = normal ]; then
                    fail "$pkg has several installation records; delete all but one: $(echo "$tree/var/lib/sage/installed/$pkg"-*)"
                fi
                installed=yes
                installed_version=${stamp##*/"$pkg"-}
            fi
        done
        # Where two of the trees are the same, do not look twice.
        [ -d "$tree/var/lib/sage/installed" ] && break
    done

    # Is it wanted? Standard: unless disabled. Optional: if enabled or
    # installed before. Base packages come in as dependencies only.
    eval "want=\$SAGE_ENABLE_$pkg"
    if [ -z "$want" ]; then
        case $type in
            standard) want=yes ;;
            optional|experimental) want=$installed ;;
        esac
    fi

    # Does the system have it?
    eval "system=\${sage_use_system_$pkg:-yes}"
    dummy=no
    if [ -f "$dir/spkg-configure.m4" ]; then
        if [ "$installed" = yes ]; then
            # Its dependents were built with it: keep using ours.
            system=installed
        elif [ "$system" != no ]; then
            say "checking whether the system's $pkg can be used..."
            if "spkg_configure_$pkg"; then
                dummy=yes
            elif [ "$system" = force ]; then
                SAGE_SPKG_ERRORS="$SAGE_SPKG_ERRORS $pkg"
            elif [ "$want" = yes ]; then
                SAGE_NEED_SYSTEM_PACKAGES="$SAGE_NEED_SYSTEM_PACKAGES $pkg"
            fi
        fi
    fi

    if [ $dummy = yes ]; then
        add SAGE_DUMMY_PACKAGES "$pkg"
        message="using system package"
    else
        add SAGE_BUILT_PACKAGES "$pkg"
        case $installed-$want in
            *-no|*-) message="not wanted" ;;
            yes-*) message="version $installed_version is installed" ;;
            *) message="version $version will be built" ;;
        esac
    fi
    case $installed-$want in
        *-yes) add SAGE_OPTIONAL_INSTALLED_PACKAGES "$pkg" ;;
        yes-no) add SAGE_OPTIONAL_UNINSTALLED_PACKAGES "$pkg" ;;
    esac
    case $kind in
        normal)
            add SAGE_NORMAL_PACKAGES "$pkg"
            case $type in base|standard) add SAGE_SDIST_PACKAGES "$pkg" ;; esac ;;
        pip) add SAGE_PIP_PACKAGES "$pkg" ;;
        *) add SAGE_SCRIPT_PACKAGES "$pkg" ;;
    esac
    case $pkg in
        _*) ;;
        *) say "    $pkg: $type, $message" ;;
    esac

    # Normal dependencies before the |, order-only ones after it.
    first_line "$dir/dependencies"
    deps=$line
    first_line "$dir/dependencies_optional"
    for dep in $line; do
        deps="$deps \$(findstring $dep,\$(OPTIONAL_INSTALLED_PACKAGES))"
    done
    case $deps in
        *"|"*) ;;
        *) deps="$deps |" ;;
    esac
    if [ -f "$dir/dependencies_order_only" ]; then
        first_line "$dir/dependencies_order_only"
        deps="$deps $line"
    elif [ "$kind" = pip ]; then
        deps="$deps pip"
    fi
    if [ -f "$dir/dependencies_check" ]; then
        first_line "$dir/dependencies_check"
        deps="$deps \$(and \$(filter-out no,\$(SAGE_CHECK_$pkg)), $line)"
    fi
    SAGE_PACKAGE_DEPENDENCIES="$SAGE_PACKAGE_DEPENDENCIES${newline}deps_$pkg = $deps"
}
