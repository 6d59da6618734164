dnl The system's patch must do what sage-apply-patches asks for.
    printf 'old\n' > conftest.old
    printf -- '--- a/conftest.old\n+++ b/conftest.old\n@@ -1 +1 @@\n-old\n+new\n' > conftest.patch
    command -v patch >&5 && patch -p1 < conftest.patch >&5 2>&5 && grep -q new conftest.old
    status=$?
    rm -f conftest.*
    return $status
