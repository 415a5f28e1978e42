# SPDX-License-Identifier: Apache-2.0
# PkgConfig::CMOCKA. There is no package of it for mingw-w64, so there it is built from the source of Debian's own package.
if(NOT WIN32)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  return()
endif()

set(WSMAUTHZ_CMOCKA_SOURCE "" CACHE PATH "Folder of cmocka's source; empty: it is fetched from the Debian archive")
set(source ${WSMAUTHZ_CMOCKA_SOURCE})
if(NOT source)
  execute_process(COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/cmocka_source.sh ${PROJECT_BINARY_DIR} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "The source of cmocka could not be fetched. -DWSMAUTHZ_TESTS=OFF builds without the tests.")
  endif()
  set(source ${PROJECT_BINARY_DIR}/cmocka)
endif()

add_library(wsmauthz_cmocka STATIC ${source}/src/cmocka.c)
target_include_directories(wsmauthz_cmocka PUBLIC ${source}/include PRIVATE ${CMAKE_CURRENT_LIST_DIR}/cmocka_windows)
target_compile_definitions(wsmauthz_cmocka PRIVATE HAVE_CONFIG_H __USE_MINGW_ANSI_STDIO=1)
add_library(PkgConfig::CMOCKA INTERFACE IMPORTED GLOBAL)
target_link_libraries(PkgConfig::CMOCKA INTERFACE wsmauthz_cmocka)
target_link_libraries(PkgConfig::CMOCKA INTERFACE support_posix)
# Its functions are declared as printf's of msvcrt.dll, and are those of C.
target_compile_definitions(PkgConfig::CMOCKA INTERFACE __printf__=__gnu_printf__)
