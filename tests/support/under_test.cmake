# SPDX-License-Identifier: Apache-2.0
# What the tests of whole programs run: the targets whose files are called wsmauthz, whatever the targets are called.

# wsmauthz_find_target(<variable> <module> <type>...): the target of src/<module> of one of these types whose file is
# called wsmauthz; empty where this build has none.
function(wsmauthz_find_target variable module)
  set(${variable} "" PARENT_SCOPE)
  if(NOT module IN_LIST WSMAUTHZ_MODULES)
    return()
  endif()
  get_property(targets DIRECTORY ${PROJECT_SOURCE_DIR}/src/${module} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(name ${target} OUTPUT_NAME)
    if(NOT name)
      set(name ${target})
    endif()
    if(name STREQUAL "wsmauthz" AND type IN_LIST ARGN)
      set(${variable} ${target} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

wsmauthz_find_target(WSMAUTHZ_PROGRAM_TARGET cli EXECUTABLE)
wsmauthz_find_target(WSMAUTHZ_PLUGIN_TARGET plugin SHARED_LIBRARY MODULE_LIBRARY)
