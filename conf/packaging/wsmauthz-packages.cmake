# SPDX-License-Identifier: Apache-2.0
# The packages of Debian: wsmauthz (program, plug-in, policy), libwsmauthz0, libwsmauthz-dev. A package is a group of components.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME wsmauthz)
set(CPACK_PACKAGE_CONTACT "The authors of wsmauthz <${WSMAUTHZ_CONTACT}>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program system library library-documents development development-documents)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_NAME wsmauthz)
set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_RECOMMENDS "ca-certificates, libsasl2-modules, libsasl2-modules-gssapi-mit, logrotate")
set(CPACK_DEBIAN_WSMAUTHZ_DESCRIPTION "WinRM, when IIS hosts it, can ask a plug-in whether a user may in. wsmauthz
is that plug-in: it finds the sender's entry in the directory, looks at the
groups that hold it at any nesting depth, and answers authorize, deny, or
redirect to the endpoint of the user's own region.
.
This package has the program, which decides, explains, checks a policy and
reports who can get in, and the plug-in for hosts on this system.")
set(CPACK_DEBIAN_WSMAUTHZ_PACKAGE_CONTROL_EXTRA "${debian}/conffiles;${debian}/postinst;${debian}/postrm")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libwsmauthz${WSMAUTHZ_ABI})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_BINARY_DIR}/shlibs;${debian}/triggers")
file(CONFIGURE OUTPUT shlibs CONTENT "libwsmauthz @WSMAUTHZ_ABI@ libwsmauthz@WSMAUTHZ_ABI@ (>= @PROJECT_VERSION@)\n" @ONLY)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "The engine of wsmauthz without WinRM, as a library: it finds a user's entry
in a directory, looks at the groups that hold it at any nesting depth, and
says by a policy whether the user may in. Answers are cached, and the
directory's own change notifications end a cached one.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libwsmauthz-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libwsmauthz${WSMAUTHZ_ABI} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "Headers, find_package and pkg-config files of libwsmauthz, the engine of
wsmauthz without WinRM: who may in, by the nested groups of a directory.")

include(CPack)
cpack_add_component(program GROUP wsmauthz)
cpack_add_component(system GROUP wsmauthz)
cpack_add_component(library GROUP library)
cpack_add_component(library-documents GROUP library)
cpack_add_component(development GROUP development)
cpack_add_component(development-documents GROUP development)
cpack_add_component_group(wsmauthz)
cpack_add_component_group(library)
cpack_add_component_group(development)
