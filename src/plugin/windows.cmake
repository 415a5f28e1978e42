# SPDX-License-Identifier: Apache-2.0
# Files for Windows: what wsmauthz.dll and wsmauthz.exe are linked with beyond their modules.
if(NOT CMAKE_DLLTOOL)
  message(FATAL_ERROR "dlltool is missing: it is a part of binutils for mingw-w64")
endif()
set(plugin_folder ${PROJECT_SOURCE_DIR}/src/plugin)

# What differs between the processors.
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(wsmsvc_def ${plugin_folder}/wsmsvc.def)
  set(wsmsvc_options "")
else()
  set(wsmsvc_def ${plugin_folder}/wsmsvc_x86.def)
  set(wsmsvc_options -k)
endif()

# mingw-w64 10 has no import library of WsmSvc.dll.
set(wsmsvc ${PROJECT_BINARY_DIR}/windows/libwsmsvc.a)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/windows)
add_custom_command(OUTPUT ${wsmsvc}
  COMMAND ${CMAKE_DLLTOOL} --temp-prefix wsmsvc ${wsmsvc_options} -d ${wsmsvc_def} -l ${wsmsvc}
  DEPENDS ${wsmsvc_def}
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/windows VERBATIM)
add_custom_target(wsmauthz_wsmsvc_import DEPENDS ${wsmsvc})

# The message table.
# Beside windres, whose name has the same prefix; CMake knows the prefix only in the first run.
string(REPLACE windres windmc windmc "${CMAKE_RC_COMPILER}")
find_program(WSMAUTHZ_WINDMC NAMES ${windmc} windmc REQUIRED)
set(events ${PROJECT_BINARY_DIR}/windows/events.rc)
add_custom_command(OUTPUT ${events}
  COMMAND ${WSMAUTHZ_WINDMC} -h ${PROJECT_BINARY_DIR}/windows -r ${PROJECT_BINARY_DIR}/windows ${plugin_folder}/events.mc
  DEPENDS ${plugin_folder}/events.mc VERBATIM)
add_custom_target(wsmauthz_events DEPENDS ${events})

# wsmauthz_windows_file(<target> FILE <name> TYPE VFT_DLL|VFT_APP DESCRIPTION <text> [EVENTS]): a program or library as it is
# to be delivered: with its version, without symbols. (What protects it is said for all targets, in wsmauthz_options.)
function(wsmauthz_windows_file target)
  cmake_parse_arguments(RESOURCE "EVENTS" "FILE;TYPE;DESCRIPTION" "" ${ARGN})
  set(RESOURCE_MORE "")
  if(RESOURCE_EVENTS)
    set(RESOURCE_MORE "#include \"events.rc\"")
  endif()
  set(resources ${PROJECT_BINARY_DIR}/windows/${target}.rc)
  configure_file(${PROJECT_SOURCE_DIR}/src/plugin/wsmauthz.rc.in ${resources} @ONLY)
  target_sources(${target} PRIVATE ${resources})
  set_source_files_properties(${resources} PROPERTIES INCLUDE_DIRECTORIES ${PROJECT_BINARY_DIR}/windows)
  if(RESOURCE_EVENTS)
    add_dependencies(${target} wsmauthz_events)
    set_source_files_properties(${resources} PROPERTIES OBJECT_DEPENDS ${PROJECT_BINARY_DIR}/windows/events.rc)
  endif()
  # On 32 bits the compiler's names end in their arguments' size; the interface's do not.
  target_link_options(${target} PRIVATE -s $<$<EQUAL:${CMAKE_SIZEOF_VOID_P},4>:-Wl,--enable-stdcall-fixup>)
endfunction()

function(wsmauthz_plugin_library target)
  add_library(${target} SHARED $<TARGET_OBJECTS:wsmauthz_plugin>
    ${PROJECT_SOURCE_DIR}/src/plugin/plugin_module_windows.c ${PROJECT_SOURCE_DIR}/src/plugin/wsmauthz.def)
  target_link_libraries(${target} PRIVATE wsmauthz_options ${ARGN} wsmauthz_config wsmauthz_os wsmauthz_base
    ${PROJECT_BINARY_DIR}/windows/libwsmsvc.a)
  add_dependencies(${target} wsmauthz_wsmsvc_import)
  wsmauthz_windows_file(${target} FILE ${target}.dll TYPE VFT_DLL EVENTS
    DESCRIPTION "Authorizes WinRM users by their groups in a directory")
  # The linker would choose its preferred address by the name of the output file.
  target_link_options(${target} PRIVATE -Wl,--subsystem,windows:6.1,--disable-auto-image-base)
  set_target_properties(${target} PROPERTIES PREFIX "" LINKER_LANGUAGE C)
endfunction()
